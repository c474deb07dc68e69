"""The expert pool, panels, ballots, results, findings and draws; each subject in a module of its own."""

from review.models.ballots import LIVE, Draft, Mark, OtherScore, Review, SecondBallot
from review.models.conflicts import STANDS, UNSETTLED, ConflictHit
from review.models.corrections import ScoreCorrection
from review.models.draws import Challenge, Draw, DrawParty
from review.models.panels import AssignmentRun, Meeting, Panel, PanelMember, Swap
from review.models.pool import Expert, Relation, Seat
from review.models.results import PanelAnalysis, Result
from review.models.rulings import Ruling
from review.models.ties import Node, Tie
from review.models.voidings import Voiding

__all__ = [
    "LIVE",
    "STANDS",
    "UNSETTLED",
    "AssignmentRun",
    "Challenge",
    "ConflictHit",
    "Draft",
    "Draw",
    "DrawParty",
    "Expert",
    "Mark",
    "Meeting",
    "Node",
    "OtherScore",
    "Panel",
    "PanelAnalysis",
    "PanelMember",
    "Relation",
    "Result",
    "Review",
    "Ruling",
    "ScoreCorrection",
    "Seat",
    "SecondBallot",
    "Swap",
    "Tie",
    "Voiding",
]
