"""The service that plans: proposes candidates, queues evaluations, sends messages after commit."""
