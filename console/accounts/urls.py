"""The addresses of people: the own profile, passwords, and what an administrator or a privacy officer sees."""

from django.urls import path

from console.accounts import administration, audit, views

app_name = "accounts"

urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("profile/sign-out-everywhere/", views.end_sessions, name="end_sessions"),
    path("password/forgotten/", views.forgotten, name="forgotten"),
    path("password/<uidb64>/<token>/", views.ChoosePassword.as_view(), name="choose_password"),
    path("people/", administration.people, name="people"),
    path("people/invite/", administration.invite, name="invite"),
    path("people/<uuid:person_id>/", administration.person, name="person"),
    path("people/<uuid:person_id>/act/", administration.act, name="act"),
    path("people/<uuid:person_id>/at/<slug:slug>/", administration.change_grants, name="grants"),
    path("audit/", audit.audit, name="audit"),
]
