/** All text is put into the page with `textContent`, so that no text from outside is parsed as HTML. */

export const byId = (id) => document.getElementById(id);

/** An element with properties and children; strings become text. */
export function element(tag, properties = {}, ...children) {
	const made = Object.assign(document.createElement(tag), properties);
	made.append(...children.filter((child) => child !== null && child !== undefined));
	return made;
}

const controlsOf = (child) => [...child.querySelectorAll('a, button, summary')];

/** Updates a container's children to match the items, in order. Unchanged elements and the focus are kept. */
export function show(container, items, keyOf, render) {
	const kept = new Map([...container.children].map((child) => [child.dataset.key, child]));
	const focused = [...container.children].find((child) => child.contains(document.activeElement));
	const focusedControl = focused ? controlsOf(focused).indexOf(document.activeElement) : -1;
	items.forEach((item, index) => {
		const key = String(keyOf(item));
		const version = JSON.stringify(item);
		let child = kept.get(key);
		kept.delete(key);
		if (!child || child.version !== version) {
			const fresh = render(item, child);
			child?.replaceWith(fresh);
			child = fresh;
			child.dataset.key = key;
			child.version = version;
		}
		if (container.children[index] !== child) container.insertBefore(child, container.children[index] ?? null);
	});
	for (const gone of kept.values()) gone.remove();
	if (focusedControl < 0 || container.contains(document.activeElement)) return;
	const again = [...container.children].find((child) => child.dataset.key === focused.dataset.key);
	if (again) controlsOf(again)[focusedControl]?.focus({ preventScroll: true });
}

/** Sets a text only if it differs. Otherwise a screen reader would read it again, or an input would lose its cursor. */
export function setText(id, text) {
	if (byId(id).textContent !== text) byId(id).textContent = text;
}

export const clock = (iso, withSeconds = false) =>
	new Date(iso).toLocaleTimeString([], {
		hour: '2-digit',
		minute: '2-digit',
		second: withSeconds ? '2-digit' : undefined,
	});

let noticeTimer;
/** Shows a notice for a few seconds. */
export function notify(text) {
	const notice = byId('notice');
	notice.textContent = text;
	notice.hidden = false;
	clearTimeout(noticeTimer);
	noticeTimer = setTimeout(hideNotice, 5000);
}
export const hideNotice = () => (byId('notice').hidden = true);

/** Announces a text to users of screen readers. */
export function announce(text) {
	byId('announcer').textContent = text;
}
