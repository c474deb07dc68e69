"""Addresses of funding."""

from __future__ import annotations

from django.urls import path

from grants.funding import banking, office, revealing, views

app_name = "funding"
urlpatterns = [
    path("queue/", office.queue, name="queue"),
    path("queue/order/", office.order_many, name="order_many"),
    path("queue/batch/", banking.batch, name="batch_new"),
    path("queue/reconcile/", banking.reconcile, name="reconcile"),
    path("orders/<uuid:pk>/not-received/", banking.not_received, name="not_received"),
    path("calls/<uuid:pk>/tie-out/", office.tie_out_page, name="tie_out"),
    path("batches/<int:pk>/", views.batch_file, name="batch"),
    path("calls/<uuid:pk>/", views.overview, name="overview"),
    path("awards/<uuid:pk>/", views.award, name="award"),
    path("awards/<uuid:pk>/expenses/", views.expense, name="expense"),
    path("awards/<uuid:pk>/change/", views.change, name="change"),
    path("awards/<uuid:pk>/surplus/", views.surplus, name="surplus"),
    path("expenses/<int:pk>/voucher/", views.voucher, name="voucher"),
    path("expenses/<int:pk>/disallow/", views.disallow, name="disallow"),
    path("tranches/<uuid:pk>/account/", revealing.account, name="account"),
    path("tranches/<uuid:pk>/receipts/", views.receipt, name="receipt"),
    path("receipts/<int:pk>/verify/", views.verify_receipt, name="verify_receipt"),
]
