"""What duties share about operations: what makes a waiting plan void, what freezes a service, and what
closing a node leaves."""
