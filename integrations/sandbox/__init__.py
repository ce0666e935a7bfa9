"""A whole town behind the two ports: billers, meters and a payment rail, spoken to over HTTP, with faults on request."""
