(()=>{"use strict";
const tip=document.getElementById("tip"),written=document.getElementById("written"),old=document.getElementById("old");
const sayAge=()=>{const s=(Date.now()-Date.parse(written.dateTime))/1000,most=+written.dataset.stale;
 if(!most||s<=most)return;
 const h=s/3600;old.textContent="This page is "+(h<1?Math.round(s/60)+" min":h<48?Math.round(h)+" h":Math.round(h/24)+" days")+" old: what follows was true then.";old.hidden=false};
sayAge();setInterval(sayAge,30000);
for(const chart of document.querySelectorAll(".chart")){
 const n=+chart.dataset.n,tips=JSON.parse(chart.querySelector("script").textContent);let at=-1;
 const show=(i,x,y)=>{at=Math.max(0,Math.min(n-1,i));tip.textContent=tips[at];tip.hidden=false;const b=tip.getBoundingClientRect();
  tip.style.left=Math.max(4,Math.min(x-b.width/2,innerWidth-b.width-4))+"px";tip.style.top=(y-b.height-12<0?y+16:y-b.height-12)+"px"};
 const hide=()=>{tip.hidden=true};
 chart.addEventListener("pointermove",e=>{const r=chart.getBoundingClientRect();show(Math.floor((e.clientX-r.left)/r.width*n),e.clientX,r.top)});
 chart.addEventListener("pointerleave",hide);chart.addEventListener("blur",hide);
 chart.addEventListener("keydown",e=>{if(e.key==="Escape")hide();const d={ArrowLeft:-1,ArrowRight:1}[e.key];if(!d)return;e.preventDefault();
  const r=chart.getBoundingClientRect(),i=Math.max(0,Math.min(n-1,at<0?n-1:at+d));show(i,r.left+(i+.5)/n*r.width,r.top)})}
})();
