"""The exceptions of libraries and which of them are special cases of others.

Read off Django 5.2, Django REST framework 3.18, SQLAlchemy 2.1, Requests 2.34, HTTPX 0.28, Werkzeug 3.1,
PyJWT 2.15, FastAPI 0.165, redis 8.1 and the standard library; the tests compare them with what is
installed.
"""

from __future__ import annotations

# Package -> exception -> names of those directly below it; names with a dot are of other packages.
EXCEPTIONS: dict[str, dict[str, str]] = {
    "asyncio": {"builtins.BaseException": "CancelledError"},
    "binascii": {"builtins.ValueError": "Error"},
    "configparser": {"builtins.Exception": "Error"},
    "json": {"builtins.ValueError": "JSONDecodeError"},
    "pickle": {"PickleError": "PicklingError UnpicklingError", "builtins.Exception": "PickleError"},
    "pydantic": {"builtins.ValueError": "ValidationError"},
    "smtplib": {
        "SMTPException": "SMTPNotSupportedError SMTPRecipientsRefused SMTPResponseException "
        "SMTPServerDisconnected",
        "SMTPResponseException": "SMTPAuthenticationError SMTPConnectError SMTPDataError SMTPHeloError "
        "SMTPSenderRefused",
        "builtins.OSError": "SMTPException",
    },
    "socket": {"builtins.OSError": "gaierror herror timeout"},
    "sqlite3": {
        "DatabaseError": (
            "DataError IntegrityError InternalError NotSupportedError OperationalError ProgrammingError"
        ),
        "Error": "DatabaseError InterfaceError",
        "builtins.Exception": "Error",
    },
    "ssl": {
        "SSLError": "SSLCertVerificationError SSLEOFError SSLZeroReturnError",
        "builtins.OSError": "SSLError",
    },
    "subprocess": {
        "SubprocessError": "CalledProcessError TimeoutExpired",
        "builtins.Exception": "SubprocessError",
    },
    "urllib.error": {"URLError": "ContentTooShortError HTTPError", "builtins.OSError": "URLError"},
    "django.core.exceptions": {
        "SuspiciousOperation": (
            "DisallowedHost DisallowedRedirect RequestDataTooBig SuspiciousFileOperation "
            "SuspiciousMultipartForm TooManyFieldsSent TooManyFilesSent"
        ),
        "builtins.Exception": (
            "AppRegistryNotReady BadRequest EmptyResultSet FieldDoesNotExist FieldError FullResultSet "
            "ImproperlyConfigured MiddlewareNotUsed MultipleObjectsReturned ObjectDoesNotExist "
            "PermissionDenied RequestAborted SuspiciousOperation SynchronousOnlyOperation "
            "ValidationError ViewDoesNotExist"
        ),
    },
    "django.db": {
        "DatabaseError": (
            "DataError IntegrityError InternalError NotSupportedError OperationalError ProgrammingError"
        ),
        "Error": "DatabaseError InterfaceError",
        "builtins.Exception": "ConnectionDoesNotExist Error",
    },
    "fastapi.exceptions": {
        "FastAPIError": "DependencyScopeError PydanticV1NotSupportedError",
        "ValidationException": "RequestValidationError ResponseValidationError "
        "WebSocketRequestValidationError",
        "builtins.Exception": "ValidationException",
        "builtins.RuntimeError": "FastAPIError",
        "builtins.UserWarning": "FastAPIDeprecationWarning",
    },
    "httpx": {
        "HTTPError": "HTTPStatusError RequestError",
        "NetworkError": "CloseError ConnectError ReadError WriteError",
        "ProtocolError": "LocalProtocolError RemoteProtocolError",
        "RequestError": "DecodingError TooManyRedirects TransportError",
        "StreamError": "RequestNotRead ResponseNotRead StreamClosed StreamConsumed",
        "TimeoutException": "ConnectTimeout PoolTimeout ReadTimeout WriteTimeout",
        "TransportError": "NetworkError ProtocolError ProxyError TimeoutException UnsupportedProtocol",
        "builtins.Exception": "CookieConflict HTTPError InvalidURL",
        "builtins.RuntimeError": "StreamError",
    },
    "jwt.exceptions": {
        "DecodeError": "InvalidSignatureError",
        "InvalidTokenError": (
            "DecodeError ExpiredSignatureError ImmatureSignatureError InvalidAlgorithmError "
            "InvalidAudienceError InvalidIssuedAtError InvalidIssuerError InvalidJTIError "
            "InvalidSubjectError MissingRequiredClaimError"
        ),
        "PyJWKClientError": "PyJWKClientConnectionError",
        "PyJWKError": "MissingCryptographyError",
        "PyJWTError": "InvalidKeyError InvalidTokenError PyJWKClientError PyJWKError PyJWKSetError",
        "builtins.Exception": "PyJWTError",
    },
    "redis.exceptions": {
        "ConnectionError": "AuthenticationError AuthorizationError BusyLoadingError MaxConnectionsError",
        "LockError": "LockNotOwnedError",
        "RedisError": (
            "ConnectionError DataError InvalidResponse LockError PubSubError ResponseError TimeoutError "
            "WatchError"
        ),
        "ResponseError": "ExecAbortError ModuleError NoPermissionError NoScriptError ReadOnlyError",
        "builtins.Exception": "RedisError",
        "builtins.ValueError": "LockError",
    },
    "requests.exceptions": {
        "ConnectionError": "ConnectTimeout ProxyError SSLError",
        "InvalidJSONError": "JSONDecodeError",
        "InvalidURL": "InvalidProxyURL",
        "RequestException": (
            "ChunkedEncodingError ConnectionError ContentDecodingError HTTPError InvalidHeader "
            "InvalidJSONError InvalidSchema InvalidURL MissingSchema RetryError StreamConsumedError "
            "Timeout TooManyRedirects URLRequired UnrewindableBodyError"
        ),
        "RequestsWarning": "FileModeWarning RequestsDependencyWarning",
        "Timeout": "ConnectTimeout ReadTimeout",
        "builtins.DeprecationWarning": "FileModeWarning",
        "builtins.Exception": "ContentDecodingError",
        "builtins.OSError": "RequestException",
        "builtins.TypeError": "StreamConsumedError",
        "builtins.ValueError": "InvalidHeader InvalidSchema InvalidURL JSONDecodeError MissingSchema",
        "builtins.Warning": "RequestsWarning",
    },
    "rest_framework.exceptions": {
        "APIException": (
            "AuthenticationFailed MethodNotAllowed NotAcceptable NotAuthenticated NotFound ParseError "
            "PermissionDenied Throttled UnsupportedMediaType ValidationError"
        ),
        "builtins.Exception": "APIException",
    },
    "sqlalchemy.exc": {
        "ArgumentError": (
            "AmbiguousForeignKeysError ConstraintColumnNotFoundError DuplicateColumnError "
            "NoForeignKeysError NoSuchModuleError ObjectNotExecutableError"
        ),
        "Base20DeprecationWarning": "LegacyAPIWarning MovedIn20Warning",
        "CompileError": "UnsupportedCompilationError",
        "DBAPIError": "DatabaseError InterfaceError",
        "DatabaseError": (
            "DataError IntegrityError InternalError NotSupportedError OperationalError ProgrammingError"
        ),
        "DisconnectionError": "InvalidatePoolError",
        "InvalidRequestError": (
            "AmbiguousColumnError AwaitRequired IllegalStateChangeError MissingGreenlet "
            "MultipleResultsFound NoDBAPILoaded NoInspectionAvailable NoReferenceError NoResultFound "
            "NoSuchColumnError NoSuchTableError PendingRollbackError ResourceClosedError "
            "UnboundExecutionError UnreflectableTableError"
        ),
        "NoReferenceError": "NoReferencedColumnError NoReferencedTableError",
        "SADeprecationWarning": "Base20DeprecationWarning",
        "SQLAlchemyError": (
            "ArgumentError CircularDependencyError CompileError DisconnectionError IdentifierError "
            "InvalidRequestError StatementError TimeoutError"
        ),
        "StatementError": "DBAPIError",
        "builtins.DeprecationWarning": "SADeprecationWarning",
        "builtins.Exception": "EmulatedDBAPIException SQLAlchemyError",
        "builtins.KeyError": "NoSuchColumnError",
        "builtins.PendingDeprecationWarning": "SAPendingDeprecationWarning",
        "builtins.RuntimeWarning": "SAWarning",
        "builtins.Warning": "SATestSuiteWarning",
    },
    "werkzeug.exceptions": {
        "BadRequest": "BadHost BadRequestKeyError ClientDisconnected SecurityError",
        "HTTPException": (
            "BadGateway BadRequest Conflict ExpectationFailed FailedDependency Forbidden "
            "GatewayTimeout Gone HTTPVersionNotSupported ImATeapot InternalServerError LengthRequired "
            "Locked MethodNotAllowed MisdirectedRequest NotAcceptable NotFound NotImplemented "
            "PreconditionFailed PreconditionRequired RequestEntityTooLarge "
            "RequestHeaderFieldsTooLarge RequestTimeout RequestURITooLarge "
            "RequestedRangeNotSatisfiable ServiceUnavailable TooManyRequests Unauthorized "
            "UnavailableForLegalReasons UnprocessableEntity UnsupportedMediaType"
        ),
        "builtins.Exception": "HTTPException",
        "builtins.KeyError": "BadRequestKeyError",
    },
}
