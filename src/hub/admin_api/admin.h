/*
 * The hub's own routes for administrators, /piccolo/v1: enrolment, devices, artifacts, journal, plan.
 * What piccoloctl speaks besides the kube API. Every handler here is called for administrators only.
 */
#ifndef PIC_HUB_ADMIN_API_ADMIN_H
#define PIC_HUB_ADMIN_API_ADMIN_H

#include "hub/route.h"

typedef void pic_admin_handler(struct pic_hub *hub, struct pic_exchange *exchange,
			       const struct pic_route_match *match);

pic_admin_handler pic_admin_enroll;
pic_admin_handler pic_admin_devices;
pic_admin_handler pic_admin_device_create; /* and the next: hub/first_boot/admin.c */
pic_admin_handler pic_admin_ignition;
pic_admin_handler pic_admin_accept_epoch;
pic_admin_handler pic_admin_release;
pic_admin_handler pic_admin_retire;
pic_admin_handler pic_admin_logs;
pic_admin_handler pic_admin_scrape;
pic_admin_handler pic_admin_artifact_put;
pic_admin_handler pic_admin_plan;
pic_admin_handler pic_admin_journal;
pic_admin_handler pic_admin_approvals;
pic_admin_handler pic_admin_approval_request;
pic_admin_handler pic_admin_approval_decide;
pic_admin_handler pic_admin_approvers;
pic_admin_handler pic_admin_approver_add;
pic_admin_handler pic_admin_approver_remove;

/* A number out of the query; `fallback` when absent. -EINVAL, and the exchange has been refused. */
int pic_admin_query_number(struct pic_exchange *exchange, const char *name, long long minimum,
			   long long maximum, long long fallback, long long *out);

#endif
