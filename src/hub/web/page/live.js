// What the page does beyond HTML: it fetches itself again when the hub says that something has changed, and loads
// what a device is asked for into the page. Everything works without it; nothing here decides anything.
"use strict";
(() => {
	const main = document.getElementById("main");
	const parts = (root) => [...root.querySelectorAll("[data-live]")];
	const known = new Map(parts(document).map((part) => [part.id, part.outerHTML]));
	const parse = (text) => new DOMParser().parseFromString(text, "text/html");
	let stream = null, fetching = false, again = false, retry = 0;

	const openDetails = (root) => [...root.querySelectorAll("details[open][id]")].map((one) => one.id);

	// Puts the new part in the old one's place; what was unfolded stays so, and so does the focus.
	function replace(old, fresh) {
		const opened = openDetails(old);
		const active = old.contains(document.activeElement) ? document.activeElement : null;
		const href = active && active.getAttribute("href");
		old.replaceWith(fresh);
		opened.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
		const next = href ? [...fresh.querySelectorAll("a")].find((link) => link.getAttribute("href") === href) : null;
		if (active)
			(next || main).focus({ preventScroll: true });
	}

	function take(page) {
		for (const part of parts(page)) {
			const old = document.getElementById(part.id);
			const text = part.outerHTML;
			if (old && known.get(part.id) !== text)
				replace(old, document.importNode(part, true));
			known.set(part.id, text);
		}
	}

	async function refresh() {
		if (fetching) {
			again = true;
			return;
		}
		fetching = true;
		try {
			const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
			if (answer.status === 401 || answer.status === 404)
				location.reload();
			else if (answer.ok)
				take(parse(await answer.text()));
		} catch {
			// the hub is away; the stream comes back when it does
		}
		fetching = false;
		if (again) {
			again = false;
			refresh();
		}
	}

	function listen() {
		if (stream || document.hidden)
			return;
		let broken = false;
		stream = new EventSource("/events?topic=" + encodeURIComponent(main.dataset.topic));
		stream.onmessage = refresh;
		stream.onopen = () => {
			if (broken)
				refresh();
			broken = false;
		};
		stream.onerror = () => {
			broken = true;
			if (stream && stream.readyState === EventSource.CLOSED) {
				stream = null;
				clearTimeout(retry);
				retry = setTimeout(() => { refresh(); listen(); }, 30000);
				refresh();
			}
		};
	}

	function rest() {
		clearTimeout(retry);
		stream?.close();
		stream = null;
	}

	// A page that nobody looks at holds no connection.
	if (main.dataset.topic) {
		listen();
		document.addEventListener("visibilitychange", () => {
			if (document.hidden) {
				rest();
			} else {
				listen();
				refresh();
			}
		});
		addEventListener("pagehide", rest);
	}

	// Lines and metrics, into the page.
	async function load(link, place) {
		const end = place.querySelector("pre");
		const atEnd = !end || end.scrollTop + end.clientHeight >= end.scrollHeight - 8;
		place.setAttribute("aria-busy", "true");
		try {
			const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
			const found = parse(await answer.text()).getElementById(link.dataset.load);
			if (answer.status === 401)
				location.reload();
			else if (found)
				place.replaceChildren(...[...found.childNodes].map((node) => document.importNode(node, true)));
		} catch {
			place.textContent = "The hub does not answer.";
		}
		place.removeAttribute("aria-busy");
		const text = place.querySelector("pre");
		if (text && atEnd)
			text.scrollTop = text.scrollHeight;
	}

	for (const link of document.querySelectorAll("a[data-load]")) {
		const place = document.getElementById(link.dataset.load);
		const follow = document.createElement("button");
		let timer = 0, following = false;

		follow.type = "button";
		follow.className = "quiet";
		follow.textContent = "Follow";
		follow.setAttribute("aria-pressed", "false");
		link.after(follow);
		link.setAttribute("role", "button");
		link.addEventListener("click", (event) => {
			event.preventDefault();
			load(link, place);
		});
		const round = async () => {
			if (!following)
				return;
			if (!document.hidden)
				await load(link, place);
			timer = setTimeout(round, 2000);
		};
		follow.addEventListener("click", () => {
			following = !following;
			follow.setAttribute("aria-pressed", String(following));
			follow.textContent = following ? "Stop following" : "Follow";
			place.setAttribute("aria-live", following ? "off" : "polite");
			clearTimeout(timer);
			round();
		});
	}

	// Distances in time, as pic_duration_age writes them.
	function age(seconds) {
		const pair = (big, bigUnit, small, smallUnit) => big + bigUnit + (small ? small + smallUnit : "");
		const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
		if (seconds < 120)
			return seconds + "s";
		if (minutes < 10)
			return pair(minutes, "m", seconds % 60, "s");
		if (hours < 3)
			return minutes + "m";
		if (hours < 8)
			return pair(hours, "h", minutes % 60, "m");
		if (hours < 48)
			return hours + "h";
		return Math.floor(hours / 24) + "d";
	}

	setInterval(() => {
		if (document.hidden)
			return;
		for (const time of document.querySelectorAll("time")) {
			const seconds = Math.round((Date.parse(time.dateTime) - Date.now()) / 1000);
			const distance = time.querySelector(".distance");
			if (!distance)
				continue;
			const text = seconds <= 0 ? `${age(-seconds)} ago` : `in ${age(seconds)}`;
			distance.textContent = "short" in distance.dataset ? text : ` (${text})`;
		}
	}, 5000);
})();
