# shellcheck shell=bash
# shellcheck disable=SC2154  # its variables are the demo's
# The story in the shape of the original (its first release): its clients speak plain HTTP and sign in without a password,
# its approval is an http stage that waits for an address outside. The objects are in original/, as its samples have
# them, the two addresses excepted. Sourced by tools/demo.

plain_port=$(free_port 18082) elsewhere_port=$(free_port 18182)
plain_url=http://127.0.0.1:$plain_port/v1alpha2 elsewhere=http://127.0.0.1:$elsewhere_port

begin "Apart: the original's shape of the story, through its plain listener"
expect "the hub serves the original's routes on $plain_url" "$work/hub.log"
kubectl delete activation/ebpf-approval campaign/ebpf-approval >/dev/null || fail "kubectl delete ended with an error"
end_process hub
start_hub --listen-http "127.0.0.1:$plain_port" --insecure-demo --approval-url "$elsewhere/" || fail "it does not come back"
did "piccolo-hub --listen-http 127.0.0.1:$plain_port --insecure-demo --approval-url $elsewhere/"
mkdir -p "$work/decision"
in_background elsewhere python3 tools/story/elsewhere.py "$elsewhere_port" "$work/decision"
answers_elsewhere() { ! is_free "$elsewhere_port"; }
wait_for 5 answers_elsewhere || fail "the workflow's address does not answer"

bearer=$(curl -fsS -m 5 -H 'Content-Type: application/json' -d '{"username":"admin","password":""}' "$plain_url/users/auth" |
	jq -er .accessToken) || fail "nobody is let in"
post() { # ROUTE FILE
	sed -e "s#@HUB@#$hub#; s#@WORKFLOW@#$elsewhere/workflows/approval?sig=x#" "tools/story/original/$2.json" |
		curl -sS -m 5 -H "Authorization: Bearer $bearer" -H 'Content-Type: application/json' --data-binary @- \
			-w '%{http_code}' -o "$work/answer" "$plain_url/$1" >"$work/code" || fail "POST $1: no answer"
	did "POST $plain_url/$1: $(cat "$work/code")"
	[ "$(cat "$work/code")" = 200 ] || fail "$(cat "$work/answer")"
}
expect "target, solution, campaign and activation are taken as they are" "$work/hub.log"
post targets/registry/tiny-edge target
post solutions/tiny-app solution
post campaigns/ebpf-approval campaign
post activations/registry/ebpf-approval activation
expect "the hub asks the listed address and waits" "$work/elsewhere.log"
is_asked() { grep -q '^asked' "$work/elsewhere.log"; }
wait_for 10 is_asked || fail "nobody asked; $(kubectl get activation ebpf-approval -o jsonpath='{.status}' 2>&1)"
nothing_attached || fail "the program runs before an answer"
touch "$work/decision/yes"
expect "the answer 200 leads to a running program" "$work/hub.log"
wait_for 15 in_kernel || fail "$(kubectl get activation ebpf-approval -o jsonpath='{.status}' 2>&1)"
evidence <"$work/elsewhere.log"
look_into_kernel
as_root bpftool prog show id "$prog_id" | evidence
show kubectl get approvals
expect "the original's patched solution says the same, and the program goes on" "$work/hub.log"
post solutions/tiny-app solution-patch
patch_is_staged() {
	kubectl get catalog tiny-app-tiny-edge -o json |
		jq -e '.spec.properties.components | any(.name == "ebpf-module" and has("constraints")) and all(.type != "container")'
}
wait_for 15 patch_is_staged || fail "$(kubectl get catalog tiny-app-tiny-edge -o jsonpath='{.spec.properties}' 2>&1)"
is_taken() { kubectl wait --for=condition=Ready instance/tiny-app --timeout=1s; }
wait_for 15 is_taken || fail "$(kubectl get instance tiny-app -o jsonpath='{.status.components}' 2>&1)"
[ "$(attached)" = "$prog_id" ] || fail "program $prog_id was replaced by $(attached)"
in_device "$bin/piccolo" status "${device_options[@]}" | grep tiny-app/ | evidence
end_process elsewhere
did "ok; it would run for two hours, and is removed with everything else now"
