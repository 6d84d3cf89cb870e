"""Roles, grants and bearers, without a store."""

import pytest

from commonwatt.app.accounts.authorize import (
    AccountAccess,
    Action,
    ClosedMeter,
    GrantedSite,
    Habits,
    Role,
    RoleForbids,
    SiteList,
    UnknownSite,
    require_action,
    require_open_meter,
    require_site,
)
from commonwatt.app.accounts.scope import AccessScope

SITE = GrantedSite(
    number=1,
    id="61dfc9a0eba4e3564021f36a",
    generation=7,
    catalogue_generation=2,
    timezone="Europe/Zurich",
    scope=AccessScope(open_meters=frozenset({"61dfcb4beba4e3563fdf3d9e"})),
)


def account(role: Role, site: GrantedSite | None = SITE) -> AccountAccess:
    return AccountAccess("anna", role, False, 0, True, SiteList.OBJECTS, Habits.CURRENT, site)


MAY = {
    (Role.DEVELOPER, Action.READ),
    (Role.GATEWAY, Action.DELIVER),
    (Role.OPERATOR, Action.READ),
    (Role.OPERATOR, Action.DELIVER),
    (Role.OPERATOR, Action.CHANGE),
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_what_a_role_may_do(role: Role, action: Action) -> None:
    if (role, action) in MAY:
        require_action(account(role), action)
    else:
        with pytest.raises(RoleForbids, match=f"a {role} account may not {action}"):
            require_action(account(role), action)


@pytest.mark.parametrize("role", Role)
def test_no_role_sees_a_site_without_a_grant(role: Role) -> None:
    assert require_site(account(role), SITE.id) is SITE
    with pytest.raises(UnknownSite):
        require_site(account(role, site=None), SITE.id)


def test_a_closed_meter_is_closed_and_others_are_not() -> None:
    require_open_meter(SITE, "61dfcb4beba4e3563fdf3d9e")
    with pytest.raises(ClosedMeter):
        require_open_meter(SITE, "61dfcb4beba4e3563fdf3d9f")
