"""Our words over django-guardian — the only module that imports it.

Permissions are granted on few, stable scopes (agency, call, organisation) through direct-foreign-key tables, and read once per
scope and actor instance: never a row per bid, never `has_perm` in a loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import Q, Value
from guardian.models import UserObjectPermissionBase
from guardian.shortcuts import assign_perm, remove_perm

from grants.people.roles import BY_CODE, Role

if TYPE_CHECKING:
    from django.db.models import Model

    from grants.people.models import User


class ScopePermission(UserObjectPermissionBase):  # type: ignore[misc]
    """Abstract base of the direct-FK permission tables; subclasses add `content_object = ForeignKey(scope)`."""

    class Meta(UserObjectPermissionBase.Meta):
        abstract = True


def grant(role: Role, user: User, scope: Model) -> None:
    """Give `user` every permission of `role` on `scope`."""
    for permission in role.permissions:
        assign_perm(permission, user, scope)
    _forget(user)


def revoke(role: Role, user: User, scope: Model, *, keep: frozenset[str] = frozenset()) -> None:
    """Take the role's permissions on `scope` away, except those another held role still carries."""
    for permission in set(role.permissions) - keep:
        remove_perm(permission, user, scope)
    _forget(user)


def _forget(user: User) -> None:
    for remembered in ("_held", "_anywhere"):
        user.__dict__.pop(remembered, None)


def permissions_of(user: Any, scope: Model) -> frozenset[str]:
    """Codenames `user` holds on `scope`; one query per scope and actor instance. Superusers hold nothing by being super."""
    if getattr(user, "pk", None) is None or not user.is_active:
        return frozenset()
    held: dict[tuple[str, Any], frozenset[str]] = user.__dict__.setdefault("_held", {})
    key = (scope._meta.label_lower, scope.pk)
    if key not in held:
        table = _table(type(scope))
        rows = table.objects.filter(user_id=user.pk, content_object_id=scope.pk)
        held[key] = frozenset(rows.values_list("permission__codename", flat=True))
    return held[key]


@contextmanager
def looked_through(user: Any) -> Iterator[None]:
    """Inside, `scopes_with` knows what `user` holds anywhere (one query at the start): rows of a permission that is held nowhere are not asked for.

    For pages that gather the work of every role: whoever has one role asks the database for that role's work only.
    """
    if getattr(user, "pk", None) is None or not user.is_active:
        yield
        return
    user.__dict__["_anywhere"] = _anywhere(user)
    try:
        yield
    finally:
        user.__dict__.pop("_anywhere", None)


def _anywhere(user: User) -> frozenset[tuple[str, str]]:
    """(kind of scope, codename) of every permission that is held on anything at all."""
    first, *others = [_held_in(table, user) for table in ScopePermission.__subclasses__()]
    return frozenset(first.union(*others))


def _held_in(table: Any, user: User) -> Any:
    scope = table._meta.get_field("content_object").related_model._meta.label_lower
    return table.objects.filter(user_id=user.pk).order_by().annotate(on=Value(scope)).values_list("on", "permission__codename").distinct()


def scopes_with(user: Any, permission: str, model: type[Model], path: str) -> Q:
    """Q: rows whose `path` leads to a scope of `model` on which `user` holds `permission` — one EXISTS-able subquery."""
    if getattr(user, "pk", None) is None or not user.is_active:
        return Q(pk__in=[])
    if (model._meta.label_lower, permission) not in user.__dict__.get("_anywhere", {(model._meta.label_lower, permission)}):
        return Q(pk__in=[])  # asks nothing
    rows = _table(model).objects.filter(user_id=user.pk, permission__codename=permission)
    return Q(**{f"{path}__in": rows.values("content_object_id")})


def scopes_held(user: Any, model: type[Model], path: str) -> Q:
    """Q: rows whose `path` leads to a scope of `model` on which `user` holds any permission at all."""
    if getattr(user, "pk", None) is None or not user.is_active:
        return Q(pk__in=[])
    rows = _table(model).objects.filter(user_id=user.pk)
    return Q(**{f"{path}__in": rows.values("content_object_id")})


def scope_model(kind: str) -> type[Model]:
    """The model behind a scope kind ("agency", "call", "organisation"), whichever stage declares it. Raises LookupError."""
    for model in apps.get_models():
        if model._meta.model_name == kind and _is_scope(model):
            return model
    raise LookupError(f"{kind} is not a permission scope")


def role_behind(user: Any, scope: Model, permission: str) -> str:
    """The role code in which `user` holds `permission` on `scope`: the first whose permissions they hold entirely."""
    held = permissions_of(user, scope)
    kind = scope._meta.model_name
    for role in BY_CODE.values():
        if role.scope == kind and permission in role.permissions and held.issuperset(role.permissions):
            return role.code
    return ""


def _is_scope(model: type[Model]) -> bool:
    return any(issubclass(relation.related_model, ScopePermission) for relation in model._meta.related_objects)


def _table(model: type[Model]) -> Any:
    for relation in model._meta.related_objects:
        if issubclass(relation.related_model, ScopePermission) and relation.field.name == "content_object":
            return relation.related_model
    raise LookupError(f"{model.__name__} is not a permission scope")
