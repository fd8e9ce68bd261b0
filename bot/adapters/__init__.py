"""Everything pult talks to besides chats, one folder per vendor."""
