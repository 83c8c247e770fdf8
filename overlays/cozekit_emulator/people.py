"""Members of workspaces and organizations, and the variables of users."""

from __future__ import annotations

from .answers import Refusal
from .calls import Call
from .kinds import USER
from .lists import items
from .store import Record
from .verbs import defaults


def add_members(call: Call) -> Record:
    """Adds people to a workspace and says what became of each."""
    members, workspace = call.collection("workspace_members"), call.find("workspaces")
    told: dict[str, list[str]] = {
        name: [] for name in call.world.description.schemas["AddedWorkspaceMembers"]["properties"]
    }
    for user in call.arg("users", []):
        if members.peek(user["user_id"], workspace["workspace_id"]):
            told["already_joined_user_ids"].append(user["user_id"])
            continue
        members.add({**defaults(call, members), **user}, workspace["workspace_id"])
        told["added_success_user_ids"].append(user["user_id"])
    return {"data": told}


def remove_members(call: Call) -> Record:
    """Removes people from a workspace and says what became of each; the owner stays."""
    members, workspace = call.collection("workspace_members"), call.find("workspaces")
    told: dict[str, list[str]] = {
        name: [] for name in call.world.description.schemas["RemovedWorkspaceMembers"]["properties"]
    }
    for user_id in call.arg("user_ids"):
        member = (
            None
            if call.world.printed(user_id)
            else members.peek(user_id, workspace["workspace_id"])
        )
        if member is None:
            told["not_in_workspace_user_ids"].append(user_id)
        elif member["role_type"] == "owner":
            told["owner_not_support_remove_user_ids"].append(user_id)
        else:
            members.remove(member, workspace["workspace_id"])
            told["removed_success_user_ids"].append(user_id)
    return {"data": told}


def keep_last_admin(call: Call, member: Record) -> None:
    """An organization must keep a super administrator."""
    people = call.collection("organization_members")
    admins = [
        p
        for p in people.all(people.owner(call.arguments))
        if p["organization_role_type"] == "organization_super_admin"
    ]
    if admins == [member]:
        raise Refusal(777074044, "the last super administrator cannot be removed")


def found_workspace(call: Call, workspace: Record) -> None:
    """The founder is its first member."""
    members = call.collection("workspace_members")
    examples = call.world.examples.fields("WorkspaceMember")
    members.add(
        {**examples, "user_id": workspace["owner_uid"] or USER, "role_type": "owner"},
        workspace["workspace_id"],
    )


def found_organization(call: Call, organization: Record) -> None:
    """The named administrator is its first member."""
    members = call.collection("organization_members")
    person = {
        "user_id": call.arg("super_admin_user_id"),
        "organization_role_type": "organization_super_admin",
    }
    members.add(
        {**call.world.examples.fields("OrganizationMember"), **person},
        organization["organization_id"],
    )


def set_variables(call: Call) -> Record:
    """Sets the named variables of one user and leaves the others."""
    _needs_bot_or_app(call)
    variables = call.collection("variables")
    owner = variables.owner(call.arguments)
    for item in call.arg("data"):
        there = variables.peek(item["keyword"], owner)
        if there:
            variables.change(there, item)
        else:
            variables.add(item, owner)
    return {}


def get_variables(call: Call) -> Record:
    """The variables of one user, all or the named ones."""
    _needs_bot_or_app(call)
    variables = call.collection("variables")
    names = call.arg("keywords", [])
    found = [
        record
        for record in variables.all(variables.owner(call.arguments))
        if not names or record["keyword"] in names
    ]
    return items(call, "data.items", found)


def _needs_bot_or_app(call: Call) -> None:
    if not call.arg("bot_id") and not call.arg("app_id"):
        raise Refusal(4000, "Request parameter error: bot_id or app_id is required")
