import uuid

from django.utils.deprecation import MiddlewareMixin


class RequestIdMiddleware(MiddlewareMixin):
    def process_request(self, request):
        request.request_id = uuid.uuid4().hex


class MaintenanceMiddleware:
    """Switched on by the deployment while the database is migrated."""

    def process_request(self, request):
        request.maintenance = True

    def process_response(self, request, response):
        response["Retry-After"] = "120"
        return response
