"""The addresses of tickets."""

from django.urls import path

from console.tickets import (
    action_views,
    actions,
    compare_views,
    desk_urls,
    many_urls,
    packet_views,
    queue_urls,
    told,
    vendor_views,
    views,
)

app_name = "tickets"

urlpatterns = [
    *queue_urls.urlpatterns,
    *desk_urls.urlpatterns,
    path("tickets/open/", views.open_ticket, name="open"),
    path("tickets/<int:number>/", views.ticket, name="ticket"),
    path("tickets/<int:number>/live/", views.live, name="live"),
    path("tickets/<int:number>/take/", actions.take, name="take"),
    path("tickets/<int:number>/assign/", actions.assign, name="assign"),
    path("tickets/<int:number>/state/", actions.state, name="state"),
    path("tickets/<int:number>/severity/", actions.severity, name="severity"),
    path("tickets/<int:number>/run/", actions.run, name="run"),
    path("tickets/<int:number>/told/", told.told, name="told"),
    path("tickets/<int:number>/act/", action_views.start, name="act"),
    path("tickets/<int:number>/before-and-after/", action_views.before_and_after, name="before_and_after"),
    path("tickets/<int:number>/comment/", actions.comment, name="comment"),
    path("tickets/<int:number>/attach/", actions.attach, name="attach"),
    path("tickets/<int:number>/checklist/", actions.item, name="item"),
    path("tickets/<int:number>/checklists/", actions.add_checklist, name="add_checklist"),
    path("tickets/<int:number>/answer/", actions.answer, name="answer"),
    path("tickets/<int:number>/disagree/", actions.disagree, name="disagree"),
    path("tickets/<int:number>/packet/", packet_views.show, name="packet"),
    path("tickets/<int:number>/packet/download/", packet_views.download, name="packet_download"),
    path("tickets/<int:number>/packet/mail/", packet_views.mail, name="packet_mail"),
    path("tickets/<int:number>/packet/sent/<uuid:sending_id>/", packet_views.sent, name="packet_sent"),
    path("tickets/<int:number>/vendor/answer/", vendor_views.answer, name="vendor_answer"),
    path("tickets/<int:number>/notes/<uuid:note_id>/end/", actions.end_note, name="end_note"),
    path("tickets/<int:number>/notes/<uuid:note_id>/content/", actions.payload, name="payload"),
    path("tickets/<int:number>/notes/<uuid:note_id>/compare/", compare_views.show, name="compare"),
    path("tickets/<int:number>/files/<uuid:attachment_id>/", views.attachment, name="attachment"),
    *many_urls.urlpatterns,
]
