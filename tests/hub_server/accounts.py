"""Who asks, and what they may do."""

from typing import TYPE_CHECKING, Any

from .store import Repo, Token
from .wire import Answer, Refusal, Request, route

if TYPE_CHECKING:
    from .server import HubServer

WRITERS = ("admin", "write")


@route("GET", "/api/whoami-v2")
def whoami(hub: "HubServer", request: Request) -> Answer:
    token = signed(request)
    account = hub.store.accounts[token.account]
    organisations = [
        {
            "type": "org",
            "id": other.id,
            "name": other.name,
            "fullname": other.full_name,
            "isEnterprise": False,
            "canPay": other.credit > 0,
            "periodEnd": None,
            "avatarUrl": "",
            "roleInOrg": other.roles[account.name],
        }
        for other in hub.store.accounts.values()
        if account.name in other.roles
    ]
    about = {
        "type": "user",
        "id": account.id,
        "name": account.name,
        "fullname": account.full_name,
        "email": f"{account.name}@example.org",
        "emailVerified": True,
        "canPay": account.credit > 0,
        "periodEnd": None,
        "isPro": account.pro,
        "avatarUrl": "",
        "orgs": organisations,
        "auth": {"type": "access_token", "accessToken": described(hub, token)},
    }
    return Answer(about)


def described(hub: "HubServer", token: Token) -> dict[str, Any]:
    about: dict[str, Any] = {"displayName": token.name, "role": token.role, "createdAt": "2026-01-02T03:04:05.000Z"}
    if token.role == "fineGrained":
        about["fineGrained"] = {
            "canReadGatedRepos": False,
            "global": [],
            "scoped": [
                {"entity": entity(hub, scope), "permissions": list(token.permissions)} for scope in token.scopes
            ],
        }
    return about


def entity(hub: "HubServer", scope: str) -> dict[str, str]:
    """What a scope of a fine-grained token stands for, as whoami tells it."""
    kind, _, repo = scope.partition(":")
    if repo:
        return {"_id": "0" * 24, "type": kind, "name": repo}
    account = hub.store.accounts[scope]
    return {"_id": account.id, "type": account.kind, "name": account.name}


def signed(request: Request) -> Token:
    """The token of a request that needs one."""
    if request.token is None:
        raise Refusal(401, "Invalid username or password.")
    return request.token


def token_may(token: Token, permission: str, owner: str, kind: str = "", repo: str = "") -> bool:
    if token.role == "fineGrained":
        return permission in token.permissions and bool({owner, f"{kind}:{repo}"} & {*token.scopes})
    return token.role == "write" or permission.endswith(".read")


def may_write_for(hub: "HubServer", token: Token, owner: str) -> bool:
    """Whether the person (not the token) may write in a namespace."""
    account = hub.store.accounts.get(owner)
    return owner == token.account or (account is not None and account.roles.get(token.account) in WRITERS)


def may_read(hub: "HubServer", token: Token | None, repo: Repo) -> bool:
    """Whether a repo is there at all, for them."""
    if not repo.private:
        return True
    if token is None:
        return False
    mine = repo.owner == token.account or token.account in hub.store.accounts[repo.owner].roles
    return mine and (
        token_may(token, "repo.content.read", repo.owner, repo.kind, repo.id)
        or token_may(token, "repo.write", repo.owner, repo.kind, repo.id)
    )


def needs_write(hub: "HubServer", request: Request, owner: str, kind: str, repo: str, verb: str = "write to") -> Token:
    """The token of a request that changes something.

    Raises:
        Refusal: Nobody signed it, somebody else's name, or a token without the right.
    """
    token = signed(request)
    if not may_write_for(hub, token, owner):
        raise Refusal(403, f'You don\'t have the rights to {verb} a {kind} under the namespace "{owner}"')
    if not token_may(token, "repo.write", owner, kind, repo):
        raise Refusal(403, f"This token has no right to {verb} {repo}: it needs the permission repo.write")
    return token


@route("GET", r"/api/(?:users|organizations)/([^/]+)/overview")
def overview(hub: "HubServer", request: Request, name: str) -> Answer:
    account = hub.store.accounts.get(name)
    if account is None:
        raise Refusal(404, "This user does not exist")
    return Answer(
        {
            "_id": account.id,
            "user": account.name,
            "name": account.name,
            "fullname": account.full_name,
            "type": account.kind,
            "isPro": account.pro,
            "avatarUrl": "",
        }
    )
