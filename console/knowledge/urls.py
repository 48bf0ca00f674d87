"""The addresses of knowledge."""

from django.urls import path

from console.knowledge import actions, resolving, views

app_name = "knowledge"

urlpatterns = [
    path("tickets/<int:number>/resolve/", resolving.resolve, name="resolve"),
    path("tickets/<int:number>/seen-before/", views.seen_before, name="seen_before"),
    path("knowledge/", views.search, name="search"),
    path("knowledge/review/", views.review, name="review"),
    path("knowledge/write/", views.write, name="write"),
    path("knowledge/<uuid:article_id>/", views.article, name="article"),
    path("knowledge/<uuid:article_id>/edit/", views.edit, name="edit"),
    path("knowledge/<uuid:article_id>/versions/", views.history, name="versions"),
    path("knowledge/<uuid:article_id>/submit/", actions.submit, name="submit"),
    path("knowledge/<uuid:article_id>/publish/", actions.publish, name="publish"),
    path("knowledge/<uuid:article_id>/stale/", actions.stale, name="stale"),
    path("knowledge/<uuid:article_id>/discard/", actions.discard, name="discard"),
    path("knowledge/<uuid:article_id>/release/", actions.release, name="release"),
]
