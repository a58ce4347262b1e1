// The map of the app: draws what the page hands over, and says back where somebody clicked.
// Names are put in as text nodes only, so that no name of a user becomes a tag.
"use strict";

const say = (type, more) => window.parent.postMessage({ isStreamlitMessage: true, type, ...more }, "*");
const answer = (value) => say("streamlit:setComponentValue", { value: { ...value, n: Date.now() }, dataType: "json" });

const map = L.map("map", { preferCanvas: true, zoomSnap: 0.25, attributionControl: false, zoomControl: false });
L.control.zoom({ position: "topright" }).addTo(map);
L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
map.createPane("pictures").style.zIndex = 350;
map.createPane("lines").style.zIndex = 380;
map.createPane("marks").style.zIndex = 620;

const shown = new Map(); // id -> { ref, layer, label, byId }
let control = null;
let controlKey = "";
let viewKey = null;
let focusKey = null;
let legendKey = "";
let args = {};
let switched = {}; // layers that the reader switched by hand: id -> on
let asked = 0; // the least height that the page asks for, and what the window has room for
let height = 0;

// On a large screen the map reaches down to its lower edge; the page itself only knows the smallest screen.
function roomFor(least) {
  try {
    const room = window.parent.innerHeight - window.frameElement.getBoundingClientRect().top - 18;
    return Math.round(Math.max(least, Math.min(room, 2 * least)));
  } catch { return least; }
}

function popup(properties) {
  const box = document.createElement("div");
  const title = document.createElement("h4");
  title.textContent = properties.title || "";
  box.append(title);
  if (properties.rows && properties.rows.length) {
    const table = document.createElement("table");
    for (const [label, value] of properties.rows) {
      const row = table.insertRow();
      const head = document.createElement("th");
      head.textContent = label;
      row.append(head);
      row.insertCell().textContent = value;
    }
    box.append(table);
  }
  return box;
}

function style(spec, properties) {
  return {
    color: properties.color || spec.color || "#333333",
    weight: properties.weight || spec.weight || 1,
    opacity: spec.opacity === undefined ? 1 : spec.opacity,
    fillColor: properties.fill || spec.fill || properties.color || spec.color || "#333333",
    fillOpacity: spec.fillOpacity === undefined ? 0.9 : spec.fillOpacity,
    dashArray: properties.dash || spec.dash || null,
  };
}

function point(spec, feature, latlng) {
  const properties = feature.properties;
  if (properties.badge !== undefined || spec.draggable) {
    const mark = document.createElement("div");
    mark.className = "badge";
    mark.textContent = properties.badge === undefined ? "" : String(properties.badge);
    if (properties.color) mark.style.background = properties.color;
    const icon = L.divIcon({ html: mark, className: "", iconSize: [26, 26], iconAnchor: [13, 13] });
    const marker = L.marker(latlng, { icon, pane: "marks", draggable: !!spec.draggable, title: properties.title || "" });
    if (spec.draggable) {
      marker.on("dragend", () => {
        const at = marker.getLatLng();
        answer({ kind: "move", layer: spec.id, id: properties.id, lat: at.lat, lon: at.lng });
      });
    }
    return marker;
  }
  const radius = properties.radius || spec.radius || 4;
  return L.circleMarker(latlng, { radius: spec.scales ? radius * scale() : radius, scales: spec.scales && radius,
    pane: spec.pane || "overlayPane" });
}

// Many places on a whole county would hide it: small from afar, full size from near.
function scale() {
  return Math.min(1.3, Math.max(0.5, ((map.getZoom() || 10) - 6) / 5.5));
}

map.on("zoomend", () => map.eachLayer((layer) => {
  if (layer.options && layer.options.scales) layer.setRadius(layer.options.scales * scale());
}));

function vector(spec, data, byId) {
  return L.geoJSON(data, {
    interactive: !!spec.clickable,
    pane: spec.pane || "overlayPane",
    style: (feature) => style(spec, feature.properties),
    pointToLayer: (feature, latlng) => {
      const made = point(spec, feature, latlng);
      if (made.setStyle) made.setStyle(style(spec, feature.properties));
      return made;
    },
    onEachFeature: (feature, layer) => {
      if (feature.properties.id !== undefined) byId.set(String(feature.properties.id), layer);
      if (!spec.clickable) return;
      if (feature.properties.title) layer.bindPopup(() => popup(feature.properties), { maxWidth: 320 });
      layer.on("click", (event) => {
        L.DomEvent.stopPropagation(event);
        const at = event.latlng || layer.getLatLng();
        answer({ kind: "click", layer: spec.id, id: feature.properties.id, lat: at.lat, lon: at.lng });
      });
    },
  });
}

async function unpacked(ref) {
  const answer = await fetch(ref);
  return new Response(answer.body.pipeThrough(new DecompressionStream("gzip"))).json();
}

async function make(spec) {
  const byId = new Map();
  if (spec.kind === "tiles") {
    return { layer: L.tileLayer(spec.url, { maxZoom: 20, maxNativeZoom: spec.maxZoom || 18 }), byId };
  }
  if (spec.kind === "image") {
    const layer = L.imageOverlay(spec.ref, spec.bounds, { opacity: spec.opacity || 1, pane: "pictures" });
    return { layer, byId };
  }
  const data = spec.data || (await unpacked(spec.ref));
  return { layer: vector(spec, data, byId), byId };
}

function isOn(spec) {
  return spec.id in switched ? switched[spec.id] : spec.show !== false;
}

let work = Promise.resolve();
async function draw(next) {
  const wanted = new Map(next.layers.map((spec) => [spec.id, spec]));
  for (const [id, old] of [...shown]) {
    if (!wanted.has(id)) {
      map.removeLayer(old.layer);
      shown.delete(id);
    }
  }
  // All that is new is fetched at the same time, and put on the map in the order of the list.
  const fresh = next.layers.map((spec) => ({ spec, key: spec.ref || spec.url || JSON.stringify(spec.data) }))
    .filter(({ spec, key }) => !shown.has(spec.id) || shown.get(spec.id).key !== key || shown.get(spec.id).label !== spec.label)
    .map((one) => ({ ...one, coming: make(one.spec) }));
  for (const { spec, key, coming } of fresh) {
    const made = await coming;
    const old = shown.get(spec.id);
    const isThere = old ? map.hasLayer(old.layer) : isOn(spec);
    if (isThere) made.layer.addTo(map);
    if (old) map.removeLayer(old.layer);
    shown.set(spec.id, { ...made, key, label: spec.label });
  }
  // The order of the list is the order from the ground upwards.
  for (const spec of next.layers) {
    const one = shown.get(spec.id);
    if (one && map.hasLayer(one.layer) && one.layer.bringToFront) one.layer.bringToFront();
  }
  layersControl(next);
}

function layersControl(next) {
  const named = next.layers.filter((spec) => spec.label);
  const key = JSON.stringify(named.map((spec) => [spec.id, spec.label, shown.get(spec.id).key]));
  if (key === controlKey) return;
  controlKey = key;
  if (control) map.removeControl(control);
  control = L.control.layers({}, {}, { collapsed: true, position: "topright" });
  for (const spec of named) {
    const holder = document.createElement("span");
    holder.textContent = spec.label;
    control.addOverlay(shown.get(spec.id).layer, holder.innerHTML);
  }
  control.addTo(map);
}

map.on("overlayadd overlayremove", (event) => {
  for (const [id, one] of shown) if (one.layer === event.layer) switched[id] = event.type === "overlayadd";
});

function legend(next) {
  const key = JSON.stringify(next.legend || []);
  if (key === legendKey) return;
  legendKey = key;
  const box = document.getElementById("legend");
  const wasOpen = box.querySelector("details") ? box.querySelector("details").open : true;
  box.replaceChildren();
  box.hidden = !(next.legend && next.legend.length);
  if (box.hidden) return;
  const details = document.createElement("details");
  details.open = wasOpen;
  const summary = document.createElement("summary");
  summary.textContent = next.legendTitle || "";
  details.append(summary);
  for (const [kind, colour, words] of next.legend) {
    const row = document.createElement("div");
    row.className = kind === "head" ? "head" : "row";
    if (kind !== "head") {
      const swatch = document.createElement("span");
      swatch.className = "swatch " + kind;
      if (kind === "line") swatch.style.borderTopColor = colour;
      else swatch.style.background = colour;
      row.append(swatch);
    }
    row.append(document.createTextNode(words));
    details.append(row);
  }
  box.append(details);
}

function look(next) {
  if (next.focus && hasSize() && JSON.stringify(next.focus) !== focusKey) {
    focusKey = JSON.stringify(next.focus);
    map.fitBounds(next.focus, { maxZoom: 15, padding: [60, 60], animate: false });
  }
}

// A map in a part of the page that is not shown yet has no size, and no place to look at.
function hasSize() {
  const size = map.getSize();
  return size.x > 0 && size.y > 0;
}

function firstLook(next) {
  const key = next.view || JSON.stringify(next.bounds);
  if (key === viewKey || !hasSize()) return;
  viewKey = key;
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem("view " + key)); } catch { kept = null; }
  if (kept && Number.isFinite(kept.center.lat) && Number.isFinite(kept.center.lng)) map.setView(kept.center, kept.zoom, { animate: false });
  else {
    const beside = Math.min(document.getElementById("legend").offsetWidth + 20, map.getSize().x * 0.45);
    map.fitBounds(next.bounds, { paddingTopLeft: [beside, 10], paddingBottomRight: [10, 10], animate: false });
    isFitted = true;
  }
}

// Until the reader moves the map, it shows the whole county, however large the window lets it become.
let isFitted = false;
for (const name of ["pointerdown", "wheel", "keydown"]) {
  document.getElementById("map").addEventListener(name, () => { isFitted = false; }, { capture: true, passive: true });
}

map.on("moveend", () => {
  if (viewKey === null || !hasSize()) return;
  try {
    sessionStorage.setItem("view " + viewKey, JSON.stringify({ center: map.getCenter(), zoom: map.getZoom() }));
  } catch { /* a browser that keeps nothing */ }
});

function highlight(next) {
  const one = next.selected && shown.get(next.selected.layer);
  const layer = one && one.byId.get(String(next.selected.id));
  if (highlight.mark) { map.removeLayer(highlight.mark); highlight.mark = null; }
  if (!layer) return;
  const options = { color: "#FF00FF", weight: 4, fill: false, interactive: false, pane: "marks" };
  highlight.mark = layer.getLatLng
    ? L.circleMarker(layer.getLatLng(), { ...options, radius: 12 })
    : L.geoJSON(layer.toGeoJSON(), { style: options, interactive: false, pane: "marks" });
  highlight.mark.addTo(map);
}

map.on("click", (event) => {
  if (args.clickable) answer({ kind: "click", layer: "", id: null, lat: event.latlng.lat, lon: event.latlng.lng });
});

window.addEventListener("message", (event) => {
  if (!event.data || event.data.type !== "streamlit:render") return;
  args = event.data.args;
  if (args.height !== asked) {
    asked = args.height;
    height = roomFor(asked);
    say("streamlit:setFrameHeight", { height });
    document.documentElement.style.height = height + "px";
    map.invalidateSize();
  }
  document.getElementById("map").classList.toggle("picking", !!args.picking);
  document.getElementById("map").setAttribute("aria-label", args.label || "");
  const now = args;
  legend(now);
  firstLook(now);
  work = work.then(() => draw(now)).then(() => { look(now); highlight(now); document.body.dataset.drawn = String(now.stamp || 1); })
    .catch((error) => console.error(String(error)));
});
new ResizeObserver(() => {
  map.invalidateSize();
  if (!args.layers) return;
  if (isFitted && viewKey !== null) {
    sessionStorage.removeItem("view " + viewKey);
    viewKey = null;
  }
  firstLook(args);
  look(args);
}).observe(document.getElementById("map"));
say("streamlit:componentReady", { apiVersion: 1 });
