"""Addresses of the bidding stage, below /bids/."""

from __future__ import annotations

from django.urls import path

from bidding.views import (
    carried,
    following,
    lists,
    one_page,
    papers,
    questions,
    reading,
    receipts,
    screening,
    tables,
    workbook,
    writing,
)

app_name = "bidding"
urlpatterns = [
    path("", lists.mine, name="mine"),
    path("questions/<slug:code>/", questions.page, name="questions"),
    path("questions/<slug:code>.docx", questions.as_word, name="questions_word"),
    path("questions/<slug:code>.pdf", questions.as_pdf, name="questions_pdf"),
    path("start/<uuid:pk>/", lists.start, name="start"),
    path("calls/<uuid:pk>/", screening.of_call, name="of_call"),
    path("calls/<uuid:pk>/screen/", screening.run, name="run"),
    path("calls/<uuid:pk>/next/", screening.next_bid, name="next"),
    path("calls/<uuid:pk>/admit/", screening.admit_ready, name="admit_ready"),
    path("calls/<uuid:pk>/related/", screening.related, name="related"),
    path("<uuid:pk>/", writing.tasks, name="tasks"),
    path("<uuid:pk>/save/<path:page>/", papers.save, name="save"),
    path("<uuid:pk>/paste/<slug:page>/", papers.paste, name="paste"),
    path("<uuid:pk>/about/", writing.about, name="about"),
    path("<uuid:pk>/sections/<slug:code>/", writing.section, name="section"),
    path("<uuid:pk>/budget/", tables.budget, name="budget"),
    path("<uuid:pk>/kpis/", tables.kpis, name="kpis"),
    path("<uuid:pk>/team/", tables.team, name="team"),
    path("<uuid:pk>/attachments/", tables.attachments, name="attachments"),
    path("<uuid:pk>/attachments/<int:attachment>/remove/", tables.remove, name="remove"),
    path("<uuid:pk>/attachments/reuse/", carried.reuse, name="reuse"),
    path("<uuid:pk>/following/", following.following, name="following"),
    path("<uuid:pk>/carried/", carried.carried, name="carried"),
    path("<uuid:pk>/one-page/", one_page.one_page, name="one_page"),
    path("<uuid:pk>/workbook/", workbook.workbook, name="workbook"),
    path("<uuid:pk>/workbook.xlsx", workbook.download, name="workbook_file"),
    path("<uuid:pk>/rules/", writing.acknowledge, name="acknowledge"),
    path("<uuid:pk>/check/", writing.check, name="check"),
    path("<uuid:pk>/check/ask/", writing.ask_to_sign, name="ask_to_sign"),
    path("<uuid:pk>/check/return/", writing.send_back, name="send_back"),
    path("<uuid:pk>/submitted/", writing.submitted, name="submitted"),
    path("<uuid:pk>/versions/", reading.versions, name="versions"),
    path("<uuid:pk>/versions/<int:number>/", reading.version, name="version"),
    path("<uuid:pk>/receipts/<uuid:event>.json", receipts.file, name="receipt"),
    path("<uuid:pk>/receipts/<uuid:event>.tlog-proof", receipts.proof, name="receipt_proof"),
    path("<uuid:pk>/screening/", screening.of_bid, name="screening"),
]
