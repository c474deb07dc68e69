"""Addresses of review."""

from __future__ import annotations

from django.urls import path

from review.views import ballots, committee, conflicts, draws, grid, meeting, panels, pool, runs, scoring, seats, ties

app_name = "review"
urlpatterns = [
    path("", panels.index, name="panels"),
    path("mine/", ballots.mine, name="mine"),
    path("mine/next/", ballots.start, name="next"),
    path("mine/grid/", grid.grid, name="grid"),
    path("mine/hand-in/", grid.hand_in, name="hand_in"),
    path("mine/workbook/", grid.download, name="workbook"),
    path("mine/workbook/upload/", grid.upload, name="upload"),
    path("mine/shortcuts/", ballots.shortcuts, name="shortcuts"),
    path("experts/", pool.experts, name="experts"),
    path("experts/new/", pool.new_expert, name="new_expert"),
    path("experts/<uuid:pk>/", pool.expert, name="expert"),
    path("ties/", ties.ties, name="ties"),
    path("ties/new/", ties.new_tie, name="new_tie"),
    path("ties/import/", ties.import_ties, name="import_ties"),
    path("ties/template.csv", ties.template, name="tie_template"),
    path("ties/<int:pk>/", ties.tie, name="tie"),
    path("calls/<uuid:pk>/convene/", draws.convene, name="convene"),
    path("calls/<uuid:pk>/draw/", draws.publish, name="publish_draw"),
    path("bids/<uuid:pk>/challenge/", draws.challenge, name="challenge"),
    path("panels/<uuid:pk>/hits/<int:hit>/keep/", panels.keep, name="keep_hit"),
    path("panels/<uuid:pk>/hits/<int:hit>/propose/", panels.propose, name="propose_dismissal"),
    path("panels/<uuid:pk>/", panels.panel, name="panel"),
    path("panels/<uuid:pk>/check/", panels.check, name="check"),
    path("panels/<uuid:pk>/assign/", panels.assign, name="assign"),
    path("panels/<uuid:pk>/runs/<int:run>/<str:which>.json", runs.download, name="run"),
    path("panels/<uuid:pk>/reviews/<uuid:review>/swap/", runs.swap, name="swap"),
    path("panels/<uuid:pk>/void-conflicted/", panels.void_conflicted, name="void_conflicted"),
    path("panels/<uuid:pk>/hits/<int:hit>/", panels.dismiss, name="dismiss"),
    path("panels/<uuid:pk>/reviews/<uuid:review>/void/", panels.void, name="void"),
    path("panels/<uuid:pk>/reviews/<uuid:review>/propose-voiding/", conflicts.propose_voiding, name="propose_voiding"),
    path("panels/<uuid:pk>/ranking/", panels.ranking, name="ranking"),
    path("panels/<uuid:pk>/discussion/", committee.discussion, name="second_ballots"),
    path("panels/<uuid:pk>/rulings/", committee.rulings, name="rulings"),
    path("panels/<uuid:pk>/rulings/<uuid:review>/", committee.propose_ruling, name="propose_ruling"),
    path("panels/<uuid:pk>/lots/", committee.lots, name="lots"),
    path("panels/<uuid:pk>/invitation/", seats.invitation, name="invitation"),
    path("panels/<uuid:pk>/remind/", seats.remind, name="remind"),
    path("panels/<uuid:pk>/meeting/", meeting.meeting, name="meeting"),
    path("panels/<uuid:pk>/meeting/act/", meeting.act, name="meeting_act"),
    path("panels/<uuid:pk>/meeting/screen/", meeting.screen, name="screen"),
    path("panels/<uuid:pk>/meeting/state/", meeting.state, name="meeting_state"),
    path("panels/<uuid:pk>/meeting/paper/", meeting.paper, name="paper"),
    path("reviews/<uuid:pk>/", ballots.review, name="review"),
    path("reviews/<uuid:pk>/score/", scoring.score, name="score"),
    path("reviews/<uuid:pk>/draft/", scoring.draft, name="draft"),
    path("reviews/<uuid:pk>/recuse/", ballots.recuse, name="recuse"),
    path("reviews/<uuid:pk>/skip/", ballots.skip, name="skip"),
    path("reviews/<uuid:pk>/take-back/", scoring.take_back, name="take_back"),
]
