#include <errno.h>
#include <stdio.h>

#include "hub/admin_api/admin.h"

#define ROW(method, path, handler) \
	{ \
		method, "/piccolo/v1/" path, PIC_ACCESS_ADMIN, PIC_LISTENER_TLS, handler \
	}

const struct pic_route pic_admin_routes[] = {
	ROW("POST", "enroll", pic_admin_enroll),
	ROW("GET", "devices", pic_admin_devices),
	ROW("POST", "devices", pic_admin_device_create),
	ROW("DELETE", "devices/{name}", pic_admin_retire),
	ROW("POST", "devices/{name}/ignition", pic_admin_ignition),
	ROW("POST", "devices/{name}/accept-epoch", pic_admin_accept_epoch),
	ROW("POST", "devices/{name}/release", pic_admin_release),
	ROW("GET", "devices/{name}/logs/{instance}/{component}", pic_admin_logs),
	ROW("GET", "devices/{name}/metrics", pic_admin_scrape),
	ROW("POST", "artifacts", pic_admin_artifact_put),
	ROW("POST", "plan", pic_admin_plan),
	ROW("GET", "journal", pic_admin_journal),
	ROW("GET", "approvals", pic_admin_approvals),
	ROW("POST", "approvals", pic_admin_approval_request),
	ROW("POST", "approvals/{namespace}/{name}/{verb}", pic_admin_approval_decide),
	ROW("GET", "approvers", pic_admin_approvers),
	ROW("POST", "approvers", pic_admin_approver_add),
	ROW("DELETE", "approvers/{mail}", pic_admin_approver_remove),
	{ NULL, NULL, PIC_ACCESS_OPEN, 0, NULL },
};

int pic_admin_query_number(struct pic_exchange *exchange, const char *name, long long minimum,
			   long long maximum, long long fallback, long long *out)
{
	const char *text = pic_exchange_query(exchange, name);
	char why[128];

	if (!text) {
		*out = fallback;
		return 0;
	}
	if (pic_integer_parse(text, minimum, maximum, out) == 0)
		return 0;
	snprintf(why, sizeof(why), "%s must be a number from %lld to %lld", name, minimum, maximum);
	pic_plain_refuse(exchange, 400, why);
	return -EINVAL;
}
