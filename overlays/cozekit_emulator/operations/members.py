"""Members of workspaces and organizations, and the variables of users."""

from __future__ import annotations

from ..errors import ApiError, invalid_parameter
from ..http.crud import server_defaults
from ..http.request import ApiRequest
from ..http.response_fields import items_response
from ..state.ids import USER
from ..state.store import Record

_SUPER_ADMIN = "organization_super_admin"


def add_to_workspace(request: ApiRequest) -> Record:
    """Adds users to a workspace and tells which were added."""
    members, workspace_id = request.collection("workspace_members"), _workspace_id(request)
    result = _empty_lists(request, "AddedWorkspaceMembers")
    for user in request.arg("users", []):
        if members.get_or_none(user["user_id"], workspace_id):
            result["already_joined_user_ids"].append(user["user_id"])
            continue
        members.add({**server_defaults(request, members), **user}, workspace_id)
        result["added_success_user_ids"].append(user["user_id"])
    return {"data": result}


def remove_from_workspace(request: ApiRequest) -> Record:
    """Removes users from a workspace and tells which were removed; the owner stays."""
    members, workspace_id = request.collection("workspace_members"), _workspace_id(request)
    result = _empty_lists(request, "RemovedWorkspaceMembers")
    for user_id in request.arg("user_ids"):
        documented = request.state.is_documented_id(user_id)
        member = None if documented else members.get_or_none(user_id, workspace_id)
        if member is None:
            result["not_in_workspace_user_ids"].append(user_id)
        elif member["role_type"] == "owner":
            result["owner_not_support_remove_user_ids"].append(user_id)
        else:
            members.remove(member, workspace_id)
            result["removed_success_user_ids"].append(user_id)
    return {"data": result}


def _workspace_id(request: ApiRequest) -> str:
    return str(request.find("workspaces")["workspace_id"])


def _empty_lists(request: ApiRequest, schema: str) -> dict[str, list[str]]:
    return {name: [] for name in request.state.description.schemas[schema]["properties"]}


def keep_last_admin(request: ApiRequest, member: Record) -> None:
    """An organization keeps a super administrator."""
    members = request.collection("organization_members")
    admins = [
        other
        for other in members.all(members.owner(request.arguments))
        if other["organization_role_type"] == _SUPER_ADMIN
    ]
    if admins == [member]:
        raise ApiError(777074044, "the last super administrator cannot be removed")


def add_workspace_owner(request: ApiRequest, workspace: Record) -> None:
    """The creator of a workspace is its first member."""
    owner = {"user_id": workspace["owner_uid"] or USER, "role_type": "owner"}
    fields = {**request.state.examples.fields("WorkspaceMember"), **owner}
    request.collection("workspace_members").add(fields, workspace["workspace_id"])


def add_organization_admin(request: ApiRequest, organization: Record) -> None:
    """The administrator that the request names is the first member of an organization."""
    admin = {
        "user_id": request.arg("super_admin_user_id"),
        "organization_role_type": _SUPER_ADMIN,
    }
    fields = {**request.state.examples.fields("OrganizationMember"), **admin}
    request.collection("organization_members").add(fields, organization["organization_id"])


def set_variables(request: ApiRequest) -> Record:
    """Sets the named variables of a user and leaves the others."""
    _require_bot_or_app(request)
    variables = request.collection("variables")
    owner = variables.owner(request.arguments)
    for item in request.arg("data"):
        variable = variables.get_or_none(item["keyword"], owner)
        if variable:
            variables.change(variable, item)
        else:
            variables.add(item, owner)
    return {}


def get_variables(request: ApiRequest) -> Record:
    """The variables of a user, all or the named ones."""
    _require_bot_or_app(request)
    variables = request.collection("variables")
    names = request.arg("keywords", [])
    records = [
        variable
        for variable in variables.all(variables.owner(request.arguments))
        if not names or variable["keyword"] in names
    ]
    return items_response(request, "data.items", records)


def _require_bot_or_app(request: ApiRequest) -> None:
    if not request.arg("bot_id") and not request.arg("app_id"):
        raise invalid_parameter("bot_id or app_id is required")
