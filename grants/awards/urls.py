"""Addresses of awards."""

from __future__ import annotations

from django.urls import path

from grants.awards.views import deciding, feeding_back, office, public, showing

app_name = "awards"
urlpatterns = [
    path("notices/", public.notices, name="notices"),
    path("notices/<int:pk>/", public.notice, name="notice"),
    path("notices/<int:pk>/sheet/", public.sheet, name="sheet"),
    path("notices/<int:pk>/object/", public.object_to, name="object"),
    path("notices/<int:pk>/objected/", public.objected, name="objected"),
    path("results/<str:code>/", public.results, name="results"),
    path("results/<str:code>/review/", showing.review, name="review"),
    path("results/<str:code>/review/<slug:what>.<slug:form>", showing.review_file, name="review_file"),
    path("calls/", office.index, name="index"),
    path("call/<uuid:pk>/", office.call, name="call"),
    path("call/<uuid:pk>/propose/", office.propose, name="propose"),
    path("call/<uuid:pk>/board/", deciding.ranking, name="board"),
    path("call/<uuid:pk>/board/<slug:form>/", deciding.ranking_file, name="board_file"),
    path("call/<uuid:pk>/release/", deciding.release, name="release"),
    path("call/<uuid:pk>/confirm/", office.confirm, name="confirm"),
    path("call/<uuid:pk>/notice/", office.notice, name="preview"),
    path("call/<uuid:pk>/objections/", office.objections, name="objections"),
    path("objection/<uuid:pk>/objector/", office.objector, name="objector"),
    path("feedback/<uuid:pk>/", feeding_back.feedback, name="feedback"),
    path("feedback/<uuid:pk>/letter.pdf", feeding_back.paper, name="feedback_paper"),
    path("feedback/<uuid:pk>/evidence.zip", feeding_back.evidence, name="evidence"),
    path("<uuid:pk>/reduce/", office.reduce, name="reduce"),
    path("<uuid:pk>/draft/", office.confirm_draft, name="draft"),
    path("<uuid:pk>/draft/now/", office.draft, name="draft_now"),
    path("<uuid:pk>/recheck/", office.recheck, name="recheck"),
]
