"use strict";
(() => {
  const form = document.getElementById("filter");
  const list = document.getElementById("releases");
  if (!form || !list) return;
  const [words, standing, place, count] = ["words", "standing", "place", "count"].map((id) => document.getElementById(id));
  const items = Array.from(list.children, (item) => ({
    item,
    text: null,
    standing: item.dataset.standing,
    places: item.dataset.places.split(" "),
  }));
  const apply = () => {
    const asked = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const one of items) {
      if (asked.length) one.text ??= one.item.textContent.toLowerCase();
      const fits =
        (!standing.value || one.standing === standing.value) &&
        (!place.value || one.places.includes(place.value)) &&
        asked.every((word) => one.text.includes(word));
      if (one.item.hidden === fits) one.item.hidden = !fits;
      if (fits) shown += 1;
    }
    count.value = shown === items.length ? `${shown} releases` : `${shown} of ${items.length} releases`;
  };
  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || target.parentElement !== list) return;
    if (target.hidden) {
      form.reset();
      apply();
    }
    target.querySelector("details").open = true;
    target.scrollIntoView();
  };
  form.addEventListener("input", apply);
  // Some helpers that choose for a person tell only this.
  form.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  window.addEventListener("hashchange", follow);
  form.hidden = false;
  apply();
  follow();
})();
