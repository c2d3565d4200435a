"""What configuration files include, in all the ways in which that is written."""

import pytest

from tasks.backup.configuration import Files, _included


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("include 'more.conf'", [("include", "more.conf")]),
        ("  INCLUDE = 'more.conf' # and why", [("include", "more.conf")]),
        ("include_if_exists 'it''s.conf'", [("include_if_exists", "it's.conf")]),
        ("include_dir 'conf.d'", [("include_dir", "conf.d")]),
        ("include_dir = conf.d", [("include_dir", "conf.d")]),
        ("#include 'more.conf'", []),
        ("included = 'more.conf'", []),
        ("listen_addresses = '@people'", []),
    ],
)
def test_settings_include_by_directive(line, found):
    """With or without an equals sign, in upper and lower case."""
    assert list(_included(line, "settings")) == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("include more.conf", [("include", "more.conf")]),
        ('include_if_exists "more of it.conf"', [("include_if_exists", "more of it.conf")]),
        ("host @databases @people,ann 10.0.0.0/8 md5", [("@", "databases"), ("@", "people")]),
        ('local all ann,@"our people" peer', [("@", "our people")]),
        ('host all all all ldap ldapsuffix="@example.com"', []),
        ("local all ann peer # not @people", []),
    ],
)
def test_access_includes_files_and_lists_of_names(line, found):
    """An at sign inside of an option is none."""
    assert list(_included(line, "access")) == found


def test_a_list_of_names_may_lead_to_another():
    """It has no directives."""
    assert list(_included("ann\n@others\ninclude x\n", "names")) == [("@", "others")]


def test_what_is_missing_is_told_in_one_line():
    """Nothing: all was kept."""
    assert Files().problem == ""
    assert Files(problems=["/etc/a: there is none", "/etc/b: there is none"]).problem == (
        "/etc/a: there is none; /etc/b: there is none"
    )
