/** Storage and cookie. What the browser refuses (switched off, full, a blocked frame) is absent or does nothing. */

/** Does something that a browser may refuse. */
export function quietly(act) {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** Reads a storage key; empty where there is none. */
export function stored(key) {
  return quietly(() => localStorage.getItem(key)) ?? '';
}

/** Writes a storage key, or with empty text removes it; false when the browser refuses. */
export function store(key, value) {
  return !!quietly(() => (value ? localStorage.setItem(key, value) : localStorage.removeItem(key), true));
}

/** Every storage key that starts with `prefix`. */
export function storedKeys(prefix) {
  const found = [];
  quietly(() => {
    for (let at = 0, key; (key = localStorage.key(at)) != null; at++) if (key.startsWith(prefix)) found.push(key);
  });
  return found;
}

/** Reads a cookie; empty where there is none. */
export function cookie(name) {
  const pairs = quietly(() => document.cookie.split('; ')) ?? [];
  return pairs.find((pair) => pair.startsWith(name + '='))?.slice(name.length + 1) ?? '';
}

/** Writes a cookie for the whole site that lives `seconds`; 0 removes it. */
export function setCookie(name, value, seconds) {
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  quietly(() => (document.cookie = `${name}=${value}; Path=/; Max-Age=${seconds}; SameSite=Lax${secure}`));
}
