#include "workload/broker_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "admission/policy.h"

static bool fits(const struct pic_broker_request *request)
{
	switch ((enum pic_broker_operation)request->operation) {
	case PIC_BROKER_LISTEN:
		return request->transport == PIC_TCP;
	case PIC_BROKER_BIND:
		return request->transport == PIC_UDP;
	case PIC_BROKER_CONNECT:
		return request->transport == PIC_TCP || request->transport == PIC_UDP;
	case PIC_BROKER_READY:
	case PIC_BROKER_UPLINK:
		return false;
	}
	return false;
}

static void wanted_ports(const struct pic_broker_request *request, struct pic_policy_ports *out)
{
	memset(out, 0, sizeof(*out));
	out->transport = request->transport;
	out->first = out->last = request->port;
	out->network.family = request->family;
	out->network.bits = request->family == 4 ? 32 : 128;
	memcpy(out->network.address, request->address, request->family == 4 ? 4 : 16);
}

int pic_broker_request_check(const struct pic_broker_request *request,
			     struct pic_policy_ports *wanted, struct pic_error *err)
{
	if (!fits(request) || (request->family != 4 && request->family != 6))
		return pic_error_set(err, -EINVAL, "a request for a socket makes no sense");
	wanted_ports(request, wanted);
	return 0;
}

socklen_t pic_broker_address(const struct pic_broker_request *request, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (request->family == 4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(request->port);
		memcpy(&v4->sin_addr, request->address, sizeof(v4->sin_addr));
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(request->port);
	memcpy(&v6->sin6_addr, request->address, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

int pic_broker_failure(const struct pic_broker_request *request, int saved_errno,
		       struct pic_error *err)
{
	struct pic_policy_ports wanted;
	char what[96];

	wanted_ports(request, &wanted);
	pic_ports_text(&wanted, what);
	if (saved_errno == EADDRINUSE)
		return pic_error_set(err, -EADDRINUSE,
				     "%s is in use by another program: `ss -lnp` names it", what);
	return pic_error_errno(err, saved_errno, "%s cannot be %s", what,
			       request->operation == PIC_BROKER_CONNECT ? "connected to"
									: "listened on");
}
