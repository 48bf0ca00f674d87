"""Write the few HTML pages that turn up where JSON was expected."""

from __future__ import annotations

from diagnostics.practice.texts import PracticeTexts


def login_page(texts: PracticeTexts) -> str:
    """Give an identity provider's sign-in form."""
    return (
        f"<!doctype html><html><head><title>{texts.say('Sign in')}</title></head><body>"
        f"<h1>{texts.say('Sign in to your hospital account')}</h1>"
        '<form method="post" action="/login"><input name="username" autocomplete="username">'
        '<input name="password" type="password" autocomplete="current-password">'
        '<input name="otp" inputmode="numeric" autocomplete="one-time-code">'
        f"<button>{texts.say('Continue')}</button></form></body></html>"
    )


def block_page(texts: PracticeTexts) -> str:
    """Give a filtering proxy's refusal."""
    return (
        f"<!doctype html><html><head><title>{texts.say('Access denied')}</title></head><body>"
        f"<h1>{texts.say('This site is blocked by policy')}</h1>"
        f"<p>{texts.say('The category of this address is not allowed. Ask your network team.')}</p></body></html>"
    )


def plain_page(texts: PracticeTexts, title: str, text: str) -> str:
    """Give a short page with a title and a sentence."""
    return (
        f"<!doctype html><html><head><title>{texts.say(title)}</title></head>"
        f"<body><h1>{texts.say(title)}</h1><p>{texts.say(text)}</p></body></html>"
    )
