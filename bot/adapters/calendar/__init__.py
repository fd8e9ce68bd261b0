"""The Roster port: a rotation, or an iCal calendar from a file or an address."""
