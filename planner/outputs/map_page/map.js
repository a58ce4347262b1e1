// The exported map: draws what stands in the page's block of data, whose form `planner/outputs/maps.py` describes.
// Every word is put in as a text node, so that no name of a user becomes a tag.
"use strict";

const plan = JSON.parse(document.getElementById("plan").textContent);
const map = L.map("map", { preferCanvas: true, zoomSnap: 0.25, attributionControl: false });
L.control.scale().addTo(map);
const control = L.control.layers({}, {}, { collapsed: true });

function element(name, words, looks) {
  const made = document.createElement(name);
  if (words !== undefined) made.textContent = words;
  if (looks) made.className = looks;
  return made;
}

function popup(labels, values) {
  const table = element("table");
  labels.forEach((label, at) => {
    const row = table.insertRow();
    row.append(element("th", label));
    row.insertCell().textContent = values[at];
  });
  return table;
}

function mark(look, feature, latlng) {
  if (feature.properties.badge === undefined) return L.circleMarker(latlng, look);
  const badge = element("div", feature.properties.badge, "badge");
  badge.style.background = look.fillColor;
  const icon = L.divIcon({ html: badge, className: "", iconSize: [26, 26], iconAnchor: [13, 13] });
  return L.marker(latlng, { icon, zIndexOffset: 1000 });
}

function shapes(part) {
  return L.geoJSON(part.features, {
    interactive: part.labels.length > 0,
    style: part.look,
    pointToLayer: (feature, latlng) => mark(part.look, feature, latlng),
    onEachFeature: (feature, layer) => {
      if (part.labels.length) layer.bindPopup(() => popup(part.labels, feature.properties.values), { maxWidth: 360 });
    },
  });
}

function legend() {
  const { title, summary, heading, bands, marks, notes } = plan.legend;
  const box = document.getElementById("legend");
  const details = element("details");
  details.open = true;
  const rows = (list) => list.map(([colour, words, looks]) => {
    const row = element("div");
    const swatch = element("span", "", looks);
    swatch.style.background = colour;
    row.append(swatch, words);
    return row;
  });
  details.append(element("summary", summary), element("h2", heading), ...rows(bands), element("hr"), ...rows(marks));
  box.append(element("h1", title), details, ...notes.map((words) => element("p", words)));
}

for (const { name, show, image, parts } of plan.layers) {
  const layer = image
    ? L.imageOverlay(image.png, image.bounds, { opacity: image.opacity })
    : L.featureGroup(parts.map(shapes));
  if (show) layer.addTo(map);
  control.addOverlay(layer, element("span", name).outerHTML);
}
control.addTo(map);
legend();
document.title = plan.legend.title;
map.fitBounds(plan.bounds, { paddingTopLeft: [plan.legend_pixels, 10], animate: false });
