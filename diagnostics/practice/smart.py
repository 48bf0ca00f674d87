"""The token server: SMART backend services, client secret and rotating refresh tokens, with honest OAuth errors."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from diagnostics.practice.http_server import Request, Response, html_response, json_response
from diagnostics.practice.pages import login_page
from diagnostics.practice.scopes import within
from diagnostics.practice.tenant import NEEDED_SCOPES, Tenant

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS384", "ES384")
MAX_LIFE_S = 300
SKEW_S = 5

FetchKeys = Callable[[str], Awaitable[dict[str, Any] | None]]


class TokenError(Exception):
    """Carry an RFC 6749 error code and our words for it."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.description, self.status = code, description, status


def discovery_document(tenant: Tenant) -> dict[str, Any]:
    """Describe the authorization server (SMART App Launch 2.2, conformance)."""
    return {
        "issuer": tenant.url("auth"),
        "authorization_endpoint": tenant.url("auth") + tenant.authorize_path,
        "token_endpoint": tenant.token_url_now,
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "client_secret_post"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "grant_types_supported": ["client_credentials", "authorization_code", "refresh_token"],
        "scopes_supported": list(NEEDED_SCOPES),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": [
            "client-confidential-asymmetric",
            "client-confidential-symmetric",
            "permission-v1",
            "permission-v2",
            "launch-ehr",
        ],
    }


class TokenServer:
    """Answer discovery, authorization and token requests of one tenant."""

    def __init__(self, tenant: Tenant, fetch_keys: FetchKeys) -> None:
        self.tenant = tenant
        self._fetch_keys = fetch_keys

    async def handle(self, request: Request) -> Response:
        """Route one request on the authorization host."""
        tenant = self.tenant
        path = request.path
        if path in ("/.well-known/smart-configuration", "/.well-known/openid-configuration"):
            if tenant.behaviour.discovery == "down":
                return html_response(503, f"<html><body><p>{tenant.texts.say('Down for a while.')}</p></body></html>")
            return json_response(200, discovery_document(tenant))
        if path == tenant.authorize_path:
            return html_response(200, login_page(tenant.texts))
        moved = tenant.behaviour.token_moved
        if path != (tenant.moved_token_path if moved else tenant.token_path):
            return html_response(404, f"<html><body><p>{tenant.texts.say('There is nothing here.')}</p></body></html>")
        if request.method != "POST":
            return Response(405, headers=[("Allow", "POST")])
        return await self._token(request)

    async def _token(self, request: Request) -> Response:
        tenant = self.tenant
        door = tenant.behaviour.token_door
        if door == "redirect":
            target = f"{tenant.url('login')}/login"
            tenant.audit.write("token", client_id=tenant.client_id, status=302)
            return Response(302, headers=[("Location", target)])
        if door == "page":
            tenant.audit.write("token", client_id=tenant.client_id, status=200)
            return html_response(200, login_page(tenant.texts))
        try:
            if door == "interaction":
                raise TokenError("interaction_required", "A second factor is needed.")
            answer = await self._grant(request)
        except TokenError as error:
            document = {"error": error.code, "error_description": tenant.texts.say(error.description)}
            response = json_response(error.status, document, Cache_Control="no-store")
            if error.status == 401 and request.headers.get("authorization", "").lower().startswith("basic "):
                response.headers.append(("WWW-Authenticate", f'Basic realm="{tenant.software}"'))
            tenant.audit.write(
                "token",
                client_id=tenant.client_id,
                status=error.status,
                error=json.dumps(document),
                request_id=request.headers.get("x-request-id"),
            )
            return response
        tenant.audit.write(
            "token", client_id=tenant.client_id, status=200, request_id=request.headers.get("x-request-id")
        )
        return json_response(200, answer, Cache_Control="no-store", Pragma="no-cache")

    async def _grant(self, request: Request) -> dict[str, Any]:
        media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if media_type != "application/x-www-form-urlencoded":
            raise TokenError("invalid_request", "The token request must be form encoded.")
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        form = dict(pairs)
        if len(form) != len(pairs):
            raise TokenError("invalid_request", "A parameter was sent twice.")
        grant = form.get("grant_type")
        if not grant:
            raise TokenError("invalid_request", "The grant type is missing.")
        if grant not in ("client_credentials", "refresh_token"):
            raise TokenError("unsupported_grant_type", "This grant is not offered.")
        await self._authenticate(request, form)
        if grant == "refresh_token":
            return self._refresh(form)
        return self._answer(form.get("scope", ""))

    async def _authenticate(self, request: Request, form: dict[str, str]) -> None:
        tenant = self.tenant
        header = request.headers.get("authorization", "")
        if header.lower().startswith("basic "):
            try:
                client_id, _, secret = base64.b64decode(header[6:], validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise TokenError("invalid_client", "The credentials could not be read.", 401) from error
            self._check_secret(unquote(client_id), unquote(secret))
        elif "client_secret" in form:
            self._check_secret(form.get("client_id", ""), form["client_secret"])
        elif "client_assertion" in form or "client_assertion_type" in form:
            if form.get("client_assertion_type") != ASSERTION_TYPE:
                raise TokenError("invalid_request", "The assertion type is not known here.")
            await self._check_assertion(form.get("client_assertion", ""))
        elif form.get("grant_type") == "refresh_token" and form.get("client_id"):
            self._check_client(form["client_id"])
        else:
            raise TokenError("invalid_client", "The client did not authenticate.", 401)
        if tenant.behaviour.client == "inactive":
            raise TokenError("unauthorized_client", "The client may not ask for tokens.")

    def _check_client(self, client_id: str) -> None:
        if client_id != self.tenant.client_id or self.tenant.behaviour.client == "unknown":
            raise TokenError("invalid_client", "No such client is registered.", 401)

    def _check_secret(self, client_id: str, secret: str) -> None:
        self._check_client(client_id)
        tenant = self.tenant
        valid = tenant.other_secret if tenant.behaviour.secret_rotated else tenant.client_secret
        if not secrets.compare_digest(secret.encode(), valid.encode()):
            raise TokenError("invalid_client", "The client secret is wrong.", 401)

    async def _check_assertion(self, assertion: str) -> None:
        tenant = self.tenant
        header, claims = unpack(assertion)
        if header.get("alg") not in ALGORITHMS or header.get("typ", "JWT") != "JWT":
            raise TokenError("invalid_client", "The assertion is signed in a way that is not accepted.", 401)
        if claims.get("iss") != claims.get("sub"):
            raise TokenError("invalid_client", "Issuer and subject of the assertion differ.", 401)
        self._check_client(str(claims.get("sub", "")))
        if claims.get("aud") != tenant.token_url_now:
            raise TokenError("invalid_client", "The assertion is meant for someone else.", 401)
        self._check_times(claims)
        document = await self._fetch_keys(tenant.jwks_url)
        if document is None:
            raise TokenError("invalid_client", "The client's key set could not be fetched.", 401)
        kind = "RSA" if str(header["alg"]).startswith("RS") else "EC"
        keys = [k for k in document["keys"] if k.get("kid") == header.get("kid") and k.get("kty") == kind]
        if len(keys) != 1:
            raise TokenError("invalid_client", "No key of the client fits the assertion.", 401)
        key = RSAKey.import_key(keys[0]) if kind == "RSA" else ECKey.import_key(keys[0])
        try:
            jwt.decode(assertion, key, algorithms=[str(header["alg"])])
        except (JoseError, ValueError) as error:
            raise TokenError("invalid_client", "The assertion's signature is wrong.", 401) from error
        if not claims.get("jti") or not tenant.remember_jti(str(claims["jti"])):
            raise TokenError("invalid_client", "The assertion was used before.", 401)

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self.tenant.server_time()
        exp = claims.get("exp")
        if not isinstance(exp, int | float) or exp <= now - SKEW_S:
            raise TokenError("invalid_client", "The assertion has expired.", 401)
        if exp > now + MAX_LIFE_S + SKEW_S:
            raise TokenError("invalid_client", "The assertion lives too long.", 401)
        for name in ("iat", "nbf"):
            value = claims.get(name)
            # A minute of grace: clocks that are nearly right must not stop a hospital.
            if isinstance(value, int | float) and value > now + 60:
                raise TokenError("invalid_client", "The assertion comes from the future.", 401)

    def _refresh(self, form: dict[str, str]) -> dict[str, Any]:
        tenant = self.tenant
        value = form.get("refresh_token", "")
        if value not in tenant.refresh_tokens or tenant.behaviour.refresh == "used":
            raise TokenError("invalid_grant", "The refresh token is not valid any more.")
        if tenant.behaviour.refresh == "keep":
            return self._answer(form.get("scope", "") or " ".join(NEEDED_SCOPES))
        tenant.refresh_tokens.discard(value)
        answer = self._answer(form.get("scope", "") or " ".join(NEEDED_SCOPES))
        answer["refresh_token"] = secrets.token_urlsafe(32)
        tenant.refresh_tokens.add(answer["refresh_token"])
        return answer

    def _answer(self, asked: str) -> dict[str, Any]:
        tenant = self.tenant
        registered = tenant.behaviour.registered_scopes
        registered = NEEDED_SCOPES if registered is None else registered
        wanted = asked.split()
        if not wanted or not all(within(scope, registered) for scope in wanted):
            raise TokenError("invalid_scope", "A scope was asked that is not registered.")
        granted = tenant.behaviour.granted_scopes
        scope = asked if granted is None else " ".join(granted)
        token, ttl = tenant.issue(scope)
        return {"access_token": token.value, "token_type": "Bearer", "expires_in": ttl, "scope": scope}


def unpack(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a JWT's header and claims without trusting them."""
    try:
        head, body, _signature = assertion.split(".")
        parts = [json.loads(base64.urlsafe_b64decode(p + "=" * (-len(p) % 4))) for p in (head, body)]
    except (ValueError, binascii.Error) as error:
        raise TokenError("invalid_client", "The assertion is no JWT.", 401) from error
    if not all(isinstance(part, dict) for part in parts):
        raise TokenError("invalid_client", "The assertion is no JWT.", 401)
    return parts[0], parts[1]
