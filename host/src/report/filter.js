for (const table of document.querySelectorAll("table.claims")) {
  if (table.tBodies.length < 5) continue;
  const bar = document.createElement("p");
  bar.className = "filter";
  bar.innerHTML = '<label>Show <select><option value="">all verdicts</option><option value="holds">holds</option>' +
    '<option value="fails">fails</option><option value="not-decided">not decided</option></select></label> ' +
    '<label>containing <input type="search"></label> <span role="status"></span>';
  table.parentElement.before(bar);
  const [verdict, words, told] = bar.querySelectorAll("select, input, span");
  const show = () => {
    let count = 0;
    for (const body of table.tBodies) {
      const [name, ...rows] = body.rows;
      let inNotes = 0, inBody = 0;
      for (const row of rows) {
        if (row.className === "note") { row.hidden = !inNotes; inNotes = 0; continue; }
        const text = (name.textContent + " " + row.textContent).toLowerCase();
        row.hidden = (verdict.value && !row.querySelector("." + verdict.value)) ||
          !words.value.toLowerCase().split(" ").every(word => text.includes(word));
        if (!row.hidden) { inNotes++; inBody++; }
      }
      body.hidden = !inBody;
      count += inBody;
    }
    told.textContent = verdict.value || words.value ? count + " shown" : "";
  };
  bar.addEventListener("input", show);
}
