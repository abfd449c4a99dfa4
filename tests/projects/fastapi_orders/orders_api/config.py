"""Constants of the service."""

API_PREFIX = "/api"
CUSTOMERS = "/customers/{customer_id}"
