"""What every page has in common: errors in the house's look, the theme, the policy, the login."""

import pytest
from django.test import Client, RequestFactory
from django.views.defaults import server_error

from console.demo.models import Seeding
from console.launch.demo import LOGINS, PASSWORD_FOR_THE_DEMO
from tests.console.builders import a_facility, a_person
from tests.console.pages.documents import logged_in

pytestmark = pytest.mark.django_db


def test_a_page_that_is_not_there_says_so_in_the_house_style() -> None:
    answer = logged_in(a_person(a_facility())).get("/nothing/")
    assert answer.status_code == 404
    assert "Nothing here" in answer.content.decode()
    assert "css/tokens.css" in answer.content.decode()


def test_a_forged_form_is_refused_in_words() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(a_person(a_facility()))
    answer = client.post("/tickets/open/", {"pasted": "x"})
    assert answer.status_code == 403
    assert "This form had expired" in answer.content.decode()


def test_the_page_for_our_own_faults_needs_nothing_that_could_be_broken(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        answer = server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.content.decode()


def test_the_theme_is_kept_and_leads_back_to_this_console_only() -> None:
    client = logged_in(a_person(a_facility()))
    answer = client.post("/theme/", {"theme": "dark", "next": "/explain/"})
    assert answer.url == "/explain/"
    assert 'data-theme="dark"' in client.get("/tickets/").content.decode()
    assert client.post("/theme/", {"theme": "auto", "next": "https://elsewhere.example/"}).url == "/"
    assert "data-theme" not in client.get("/tickets/").content.decode().split("<head>")[0]
    assert client.get("/theme/").status_code == 405


def test_a_person_not_logged_in_is_sent_to_the_login_and_then_on() -> None:
    answer = Client().get("/explain/")
    assert answer.status_code == 302
    assert answer.url == "/login/?next=/explain/"


def test_the_login_names_the_sample_datas_logins_in_the_demo_only(settings) -> None:
    assert LOGINS[0][0] not in Client().get("/login/").content.decode()  # a demo without sample data has none
    Seeding.objects.create()
    text = Client().get("/login/").content.decode()
    for email, _role in LOGINS:
        assert email in text
    settings.DEMO = False
    text = Client().get("/login/").content.decode()
    assert PASSWORD_FOR_THE_DEMO not in text
    assert LOGINS[0][0] not in text


def test_a_wrong_password_says_so_without_telling_which_part() -> None:
    answer = Client().post("/login/", {"login": "nobody@test.example", "password": "wrong"})
    assert answer.status_code in (200, 422)
    assert 'role="alert"' in answer.content.decode()


def test_no_page_carries_inline_script_style_or_handler() -> None:
    import re

    client = logged_in(a_person(a_facility()))
    for where in ("/", "/tickets/open/", "/explain/"):
        answer = client.get(where)
        text = answer.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), where
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), where
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
