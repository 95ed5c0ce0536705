"use strict";
(() => {
  const root = document.documentElement;
  const count = (name) => { root.dataset[name] = Number(root.dataset[name] || 0) + 1; };
  addEventListener("error", () => count("errors"));
  document.addEventListener("securitypolicyviolation", () => count("violations"));
  root.dataset.errors = 0;
  root.dataset.violations = 0;
  root.dataset.formulas = 0;

  // What a block says, before and after its formulas are set: both "\delta" and "δ" are found.
  const blocks = [...document.querySelectorAll("main .block")];
  const plain = (text) => text.toLowerCase().replace(/[\\{}\s\u200b]+/g, "");
  const said = new Map(blocks.map((block) => [block, plain(block.textContent)]));

  const letter = { strict: "error", throwOnError: true, trust: false, output: "htmlAndMathml", maxSize: 50, maxExpand: 1000 };
  for (const place of document.querySelectorAll(".math")) {
    const latex = place.textContent;
    const right = place.parentElement.className === "rhs";
    const large = right || place.parentElement.className === "lhs";
    try {
      katex.render((large ? "\\displaystyle " : "") + (right ? "{}" : "") + latex, place, letter);
      place.classList.add("set");
      count("formulas");
    } catch (error) {
      place.textContent = latex;
      place.classList.add("wrong");
      place.title = error.message;
      count("errors");
      console.error("This formula cannot be set: " + latex + "\n" + error.message);
    }
  }
  for (const block of blocks) {
    const set = [...block.querySelectorAll(".katex-html")].map((place) => place.textContent).join(" ");
    said.set(block, said.get(block) + " " + plain(set));
  }

  for (const figure of document.querySelectorAll("figure[data-steps]")) {
    const frames = [...figure.querySelectorAll(".frame")];
    const [first, back, next] = figure.querySelectorAll("button");
    const output = figure.querySelector("output");
    const show = (wanted) => {
      frames.forEach((frame, k) => { frame.hidden = k !== wanted; });
      figure.dataset.step = wanted;
      output.textContent = `Step ${wanted + 1} of ${frames.length}`;
      first.disabled = back.disabled = wanted === 0;
      next.disabled = wanted === frames.length - 1;
    };
    const now = () => Number(figure.dataset.step);
    first.addEventListener("click", () => show(0));
    back.addEventListener("click", () => show(now() - 1));
    next.addEventListener("click", () => show(now() + 1));
    show(frames.length - 1);
  }

  const box = document.getElementById("find");
  const found = document.getElementById("found");
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link.parentElement]));
  const search = () => {
    const wanted = plain(box.value);
    let hits = 0;
    for (const section of document.querySelectorAll("main > section")) {
      const title = section.querySelector("h2");
      const titled = title !== null && plain(title.textContent).includes(wanted);
      let here = 0;
      for (const block of section.querySelectorAll(".block")) {
        const hit = said.get(block).includes(wanted);
        block.classList.toggle("out", !hit && !titled);
        here += hit;
      }
      for (const pair of section.querySelectorAll(".beside")) {
        if (pair.querySelector(".block:not(.out)")) for (const block of pair.children) block.classList.remove("out");
      }
      const out = !here && !titled;
      section.classList.toggle("out", out);
      if (links.has(section.id)) links.get(section.id).classList.toggle("out", out);
      hits += here || titled;
    }
    root.classList.toggle("searching", wanted !== "");
    found.textContent = wanted === "" ? "" : hits === 1 ? "1 place" : hits + " places";
    document.getElementById("nothing").hidden = hits > 0 || wanted === "";
  };
  box.addEventListener("input", search);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== box && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      box.focus();
    } else if (event.key === "Escape" && document.activeElement === box) {
      box.value = "";
      search();
    }
  });

  const switched = document.getElementById("sources-too");
  const source = () => root.classList.toggle("with-source", switched.checked);
  switched.addEventListener("change", source);
  source();

  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const item = links.get(entry.target.id);
      if (item) item.classList.toggle("here", entry.isIntersecting);
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const section of document.querySelectorAll("main > section")) seen.observe(section);

  // Formulas further down are laid out when they come into view, or onto paper: their fonts are there before that.
  Promise.all([...document.fonts].map((font) => font.load())).then(() => { root.dataset.rendered = "true"; });
})();
