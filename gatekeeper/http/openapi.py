"""The API's description, OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1), made of what answers: routes and structs.

Nothing is described by hand that the code could say: paths and permissions are `uris`', bodies, queries and answers the
structs', their texts the structs' docstrings, statuses the error classes'. `openapi_tables` holds what is left.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from gatekeeper import errors, uris
from gatekeeper.access.guard import COOKIE
from gatekeeper.errors import GatekeeperError
from gatekeeper.http import docstrings
from gatekeeper.http.openapi_tables import ABOUT, ERRORS, MISSING, PARAMETERS, SUCCESSES, TAGS, Object, Success
from gatekeeper.http.routes import Operation
from gatekeeper.uris import Permission, Route

VERSION: Final = "3.1.1"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
JSON: Final = "application/json"
SCHEMAS: Final = "#/components/schemas/{name}"


class ErrorDetails(msgspec.Struct, frozen=True):
    """What went wrong.

    :ivar code: a stable name for programs; WAMP's error URI is `gatekeeper.error.` and this.
    :ivar message: one sentence for people.
    """

    code: str
    message: str


class Error(msgspec.Struct, frozen=True):
    """The answer to every request that failed, whatever its status."""

    error: ErrorDetails


def describe(operations: Sequence[Operation], *, version: str) -> Object:
    """Return the description of everything that was added to a site's routes.

    :param version: the program's.
    """
    schemas = _Schemas(operations)
    paths: dict[str, Object] = {}
    for operation in operations:
        path = re.sub(r"<(?:path:)?(\w+)>", r"{\1}", operation.route.path)
        paths.setdefault(path, {})[operation.route.method.lower()] = _operation(operation, schemas)
    paths[uris.WEBSOCKET_PATH] = {"get": _websocket()}
    return {
        "openapi": VERSION,
        "jsonSchemaDialect": DIALECT,
        "info": {
            "title": "gatekeeper",
            "version": version,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": about} for name, about, _ in TAGS],
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": _security_schemes()},
        "x-wamp": _wamp(),
    }


def tag_of(route: Route) -> str:
    """Return the name of the group that a route is shown in."""
    return next(name for name, _, beginnings in TAGS if route.path.startswith(beginnings))


def ids_of(route: Route) -> list[str]:
    """Return the names of what stands in a route's path."""
    return re.findall(r"<(?:path:)?(\w+)>", route.path)


def errors_of(operation: Operation) -> list[type[GatekeeperError]]:
    """Return what an operation can answer other than success, by status."""
    route = operation.route
    found: list[type[GatekeeperError]] = list(ERRORS.get(route, ()))
    if operation.takes is not None or operation.query is not None:
        found.append(errors.InvalidArgument)
    if route.method != "GET":
        found += [errors.AccessDenied, errors.TooLarge]  # a page of another origin; and a body, wanted or not
    if route.permission is not Permission.NONE:
        found += [errors.NotAuthenticated, errors.AccessDenied]
    found += [MISSING.get(name, errors.NotFound) for name in ids_of(route)]
    return sorted(set(found), key=lambda error: (error.status, error.code))


class _Schemas:
    """The schemas of every struct that operations take or give; `of` refers to one."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        types = [Error, *(kind for operation in operations for kind in _types(operation))]
        schemas, self.components = msgspec.json.schema_components(types, ref_template=SCHEMAS)
        self._schemas = list(zip(types, schemas, strict=True))
        for struct in _structs(types):
            _explain(self.components.get(struct.__name__), struct)

    def of(self, kind: Any) -> Object:
        """Return the schema of a type that was among the operations'."""
        return dict(next(schema for known, schema in self._schemas if known is kind))

    def fields(self, struct: type[msgspec.Struct]) -> dict[str, Object]:
        """Return the schemas of a struct's fields by name; `required` among them says which must be there."""
        return dict(self.components[self.of(struct)["$ref"].rsplit("/", 1)[-1]])


def _operation(operation: Operation, schemas: _Schemas) -> Object:
    route = operation.route
    described: Object = {
        "operationId": name_of(route),
        "summary": operation.summary,
        "description": need_of(route),
        "tags": [tag_of(route)],
        "security": [] if route.permission is Permission.NONE else [{"bearer": []}, {"cookie": []}],
        "x-permission": route.permission.value,
    }
    parameters = [{"name": name, "in": "path", "required": True, **PARAMETERS[name]} for name in ids_of(route)]
    if operation.query is not None:
        parameters += _query(schemas.fields(operation.query))
    if parameters:
        described["parameters"] = parameters
    if operation.takes is not None:
        described["requestBody"] = {
            "required": bool(schemas.fields(operation.takes).get("required")),
            "content": {JSON: {"schema": schemas.of(operation.takes)}},
        }
    described["responses"] = {**_success(operation, schemas), **_failures(errors_of(operation), schemas)}
    if operation.refuses is not None:
        shapes = [schemas.of(Error), schemas.of(operation.refuses)]
        described["responses"]["400"]["content"] = {JSON: {"schema": {"anyOf": shapes}}}
    return described


def _query(struct: Object) -> list[Object]:
    found = []
    for name, schema in struct["properties"].items():
        entry: Object = {"name": name, "in": "query", "required": name in struct.get("required", ())}
        about = schema.get("description")
        if about:
            entry["description"] = about
        found.append({**entry, "schema": _given(schema)})
    return found


def _given(schema: Object) -> Object:
    """Return what a field takes where it is given: in a query nothing is null, it is left out."""
    kept = {key: value for key, value in schema.items() if key not in ("description", "anyOf")}
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        kept |= choices[0]
    elif choices:
        kept["anyOf"] = choices
    if kept.get("default", "") is None:
        del kept["default"]
    return kept


def _success(operation: Operation, schemas: _Schemas) -> Object:
    success = SUCCESSES.get(operation.route, Success())
    answer: Object = {"description": success.description}
    if success.headers:
        types = {"X-Timestamp": "number", "X-Sequence": "integer"}
        answer["headers"] = {
            name: {"description": about, "required": True, "schema": {"type": types.get(name, "string")}}
            for name, about in success.headers
        }
    if isinstance(operation.gives, str | tuple):
        kinds = (operation.gives,) if isinstance(operation.gives, str) else operation.gives
        answer["content"] = {kind: {} for kind in kinds}
    elif operation.gives is not None:
        answer["content"] = {JSON: {"schema": schemas.of(operation.gives)}}
    return {str(success.status): answer}


def _failures(failures: Iterable[type[GatekeeperError]], schemas: _Schemas) -> Object:
    found: Object = {}
    for error in failures:
        about = f"`{error.code}`: {' '.join((error.__doc__ or '').partition(chr(10) * 2)[0].split())}"
        known = found.get(str(error.status))
        if known is None:
            headers = {"Retry-After": {"schema": {"type": "integer"}}} if error.status == 429 else {}
            found[str(error.status)] = {
                "description": about,
                **({"headers": headers} if headers else {}),
                "content": {JSON: {"schema": schemas.of(Error)}},
            }
        else:
            known["description"] += f"\n\n{about}"
    return found


def _websocket() -> Object:
    """Describe what OpenAPI has no words for: that the address goes on in another protocol."""
    return {
        "operationId": "websocket",
        "summary": "Speak WAMP over a WebSocket.",
        "description": "Subprotocols `wamp.2.json`, `wamp.2.msgpack`, `wamp.2.cbor`; procedures and topics: `x-wamp`.",
        "tags": ["system"],
        "security": [],
        "x-permission": Permission.NONE.value,
        "responses": {
            "101": {"description": "WebSocket from here on"},
            **{
                str(error.status): {
                    "description": f"`{error.code}`: {error.__doc__}",
                    "content": {JSON: {"schema": {"$ref": SCHEMAS.format(name="Error")}}},
                }
                for error in (errors.UpgradeRequired,)
            },
        },
    }


def _wamp() -> Object:
    def names(table: Sequence[uris.Name]) -> list[Object]:
        return [{"uri": name.template, "x-permission": name.permission.value} for name in table]

    return {
        "path": uris.WEBSOCKET_PATH,
        "realm": uris.REALM,
        "procedures": names(uris.PROCEDURES),
        "topics": names(uris.TOPICS),
    }


def _security_schemes() -> Object:
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token from `POST /api/access/token`, or an API key.",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": COOKIE,
            "description": "A browser's log-in; what changes something is taken from pages of the same origin only.",
        },
    }


def name_of(route: Route) -> str:
    """Return a route's name in `uris`, in lower case: stable, and what generated clients call their functions."""
    return next(name.lower() for name, value in vars(uris).items() if value == route)


def need_of(route: Route) -> str:
    """Return what a caller must be allowed, in a sentence."""
    permission = route.permission
    match permission:
        case Permission.NONE:
            return "Open to anybody who can reach the port."
        case Permission.SELF:
            return "For anybody who has logged in."
        case _ if permission.kind in ids_of(route):
            return f"Needs `{permission}` on this {permission.kind}."
        case _ if permission.kind is not None:
            return f"Needs `{permission}`; shows what the caller may see."
    return f"Needs `{permission}`."


# --- schemas ---------------------------------------------------------------------------------------------------------


def _types(operation: Operation) -> list[Any]:
    gives = None if isinstance(operation.gives, str | tuple) else operation.gives
    return [kind for kind in (operation.takes, operation.query, gives, operation.refuses) if kind is not None]


def _structs(types: Iterable[Any]) -> set[type[msgspec.Struct]]:
    """Return the structs among types and what they hold."""
    found: set[type[msgspec.Struct]] = set()

    def walk(node: Any) -> None:
        if isinstance(node, msgspec.inspect.StructType):
            if node.cls in found:
                return
            found.add(node.cls)
        for name in getattr(node, "__struct_fields__", ()):
            below = getattr(node, name)
            for one in below if isinstance(below, tuple) else (below,):
                if isinstance(one, msgspec.inspect.Type | msgspec.inspect.Field):
                    walk(one)

    for kind in types:
        walk(msgspec.inspect.type_info(kind))
    return found


def _explain(schema: Object | None, struct: type[msgspec.Struct]) -> None:
    """Put the docstring's words at the fields that they are about."""
    if schema is None:
        return
    text, fields = docstrings.describe(struct)
    schema["description"] = text
    for field in msgspec.structs.fields(struct):
        entry = schema["properties"][field.encode_name]
        about = fields.get(field.name)
        if about and "description" not in entry:
            entry["description"] = about
