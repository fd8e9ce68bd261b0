"""OpenCost: what each workload cost, as it is measured in the cluster."""
