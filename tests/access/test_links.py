"""One-time links: used once, for a day, the site's own and those of the command line."""

import pytest

from gatekeeper.access.links import LIFE, MAXIMUM_LINKS, Links, make
from gatekeeper.errors import NotAuthenticated, StorageUnavailable
from gatekeeper.storage import links as stored
from tests.access.people import result
from tests.databases import InlineDatabase

NOW = 1_800_000_000.0


class Site:
    """A site's links, and a clock."""

    def __init__(self, database: InlineDatabase) -> None:
        self.now = NOW
        self.database = database
        self.links = Links(database, lambda: self.now)

    def use(self, code: str) -> str | None:
        return result(self.links.use(code)).account

    def refuses(self, code: str) -> bool:
        try:
            self.use(code)
        except NotAuthenticated as error:
            return "used already or is too old" in str(error)
        return False

    def beside(self, account: str | None = "ana") -> str:
        """Make a link as the command line does, in the same database."""
        code, link = make(account, "owner", self.now)
        result(self.database.write(lambda connection: stored.add(connection, link)))
        return code


@pytest.fixture
def site() -> Site:
    return Site(InlineDatabase())


def test_a_link_is_good_once(site: Site) -> None:
    for code in (site.links.new("admin", "owner"), site.beside("admin")):
        assert site.use(code) == "admin"
        assert site.refuses(code)


def test_a_link_is_good_for_a_day(site: Site) -> None:
    codes = [site.links.new("admin", "owner"), site.beside(), site.links.new("admin", "owner"), site.beside()]
    site.now += LIFE - 1
    for code in codes[:2]:
        site.use(code)
    site.now += 1
    assert all(site.refuses(code) for code in codes[2:])


@pytest.mark.parametrize("code", ["", "x", "ÿ", "\udcff", "x" * 100_000])
def test_a_code_that_nobody_gave_out_is_refused(site: Site, code: str) -> None:
    assert site.refuses(code)


def test_a_running_site_finds_what_the_command_line_made_also_after_a_restart(site: Site) -> None:
    code = site.beside("ana")
    again = Site(site.database)
    assert again.use(code) == "ana"
    assert site.refuses(code)


def test_the_sites_own_links_end_with_it(site: Site) -> None:
    code = site.links.new("admin", "owner")
    assert Site(site.database).refuses(code)


def test_the_database_holds_no_code(site: Site) -> None:
    code = site.beside()
    with site.database.engine.connect() as connection:
        held = connection.exec_driver_sql("select * from links").all()
    assert len(held) == 1
    assert code not in repr(held)


def test_a_link_that_was_given_back_is_good_again(site: Site) -> None:
    for code in (site.links.new("admin", "owner"), site.beside()):
        link = result(site.links.use(code))
        assert site.refuses(code)
        result(site.links.give_back(link))
        site.use(code)
        assert site.refuses(code)


def test_while_the_database_is_away_the_sites_own_links_are_good_and_others_fail_as_such(site: Site) -> None:
    own, other = site.links.new("admin", "owner"), site.beside()
    site.database.fail("gone")
    assert site.use(own) == "admin"
    with pytest.raises(StorageUnavailable):
        site.use(other)
    site.database.fail(None)
    assert site.use(other) == "ana"


def test_no_more_links_are_held_than_the_maximum(site: Site) -> None:
    codes = [site.links.new("admin", "owner") for _ in range(MAXIMUM_LINKS + 2)]
    assert [site.refuses(code) for code in codes] == [True] * 2 + [False] * MAXIMUM_LINKS


def test_links_that_are_over_leave_the_database(site: Site) -> None:
    site.use(site.beside())
    site.beside()
    site.now += 3 * LIFE
    site.beside()
    with site.database.engine.connect() as connection:
        assert len(connection.exec_driver_sql("select * from links").all()) == 1
