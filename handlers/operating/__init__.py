"""What duties share about operations: what makes a waiting plan void, and what freezes a service."""
