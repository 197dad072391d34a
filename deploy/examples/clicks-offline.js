// The service worker of clicks.html: what the page was last made of, for when the network is gone.
const kept = "clicks";
const isKept = ({ method, url }) =>
  method === "GET" && /\/(clicks\.html|client\.js)$/.test(new URL(url).pathname);

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { request } = event;
  if (isKept(request)) event.respondWith(fromNetworkFirst(request));
});

async function fromNetworkFirst(request) {
  const cache = await caches.open(kept);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch {
    return (await cache.match(request, { ignoreSearch: true })) ?? Response.error();
  }
}
