"""How a report looks, on a screen and on paper."""

# A report is light and of one column, and its figures scroll sideways on a phone. On paper no figure is cut in two.
# Headings and captions stand beside figures there, so that little room stays empty where the next figure does not fit.
# What leads to a figure or a table is kept with it, and the last section, the fine print, is set smaller.
SHEET = """:root{color-scheme:light}*{box-sizing:border-box}
body{overflow-wrap:anywhere;margin:0 auto;padding:1rem 1.2rem 4rem;max-width:58rem;background:#fff;color:#1b1b1b;
font:1.02rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
h1{font-size:1.9rem;line-height:1.2;margin:.6rem 0;overflow-wrap:anywhere}
h2{font-size:1.3rem;margin:2.4rem 0 .5rem;padding-top:.5rem;border-top:1px solid #ccc;break-after:avoid}
h3{font-size:1.05rem;margin:1.4rem 0 .4rem;break-after:avoid}.lead{font-size:1.12rem}
nav{font-size:.92rem;line-height:1.9}nav a{margin-right:1.1rem;white-space:nowrap}a{color:#005a8f}
figure{margin:1rem 0;break-inside:avoid}figure div{overflow-x:auto}figure img{display:block;max-width:100%;height:auto}
figcaption{color:#333;font-size:.95rem;margin-top:.3rem}figcaption p{margin:0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:.6rem .8rem;border-radius:4px}
code{overflow-wrap:anywhere}math[display=block]{overflow-x:auto;overflow-y:hidden}
@media(max-width:40rem){body{padding:.6rem .8rem 3rem}figure img{max-width:none;width:44rem}h1{font-size:1.5rem}}
@page{size:A4;margin:14mm 14mm 16mm;@bottom-center{content:counter(page) " / " counter(pages);font:9pt sans-serif}}
@media print{html{font-size:11pt}body{font-size:10pt;line-height:1.4;max-width:none;padding:0}nav{display:none}
h1{font-size:1.7rem}h2{border:0;margin:1.1rem 0 .3rem;padding:0}p{margin:.4rem 0}.lead{font-size:1.05rem}
figure div,math[display=block]{overflow:visible}figure{margin:.5rem 0}figure img{max-height:58mm;width:auto}
figure.beside img{max-height:62mm}figure.beside{display:flex;flex-direction:row-reverse;gap:5mm;align-items:end}
figure.beside figcaption{flex:1}figcaption{font-size:9pt}
section:has(>h2+figure.beside:last-child){display:grid;grid-template-columns:1fr auto;column-gap:5mm;margin:4mm 0;
grid-template-rows:auto 1fr;break-inside:avoid}
section:has(>h2+figure.beside:last-child)>h2{margin:0 0 .3rem}
h2+figure.beside:last-child{display:contents}h2+figure.beside:last-child>div{grid-area:1/2/3/3}
h2+p,:is(p,ul):has(+:is(h3,figure,.wide,.box,.cards)){break-after:avoid;break-inside:avoid}
pre,h3+.pairs{break-inside:avoid}
section:has(>.off-paper)>h2{display:none}section:last-of-type{font-size:8.5pt}
.wide tr:nth-child(-n+2){break-after:avoid}.wide tr:nth-last-child(-n+2){break-before:avoid}
h3{margin:.8rem 0 .3rem}.clusters tr:not(.members){break-after:avoid}}"""

# the finding, the cards and the tables, which notebook 06 shows too
STYLE = """<style>
.facts{display:grid;grid-template-columns:repeat(2,1fr);gap:.7rem;margin:1.2rem 0}
@media screen and (min-width:54rem){.facts{grid-template-columns:repeat(4,1fr)}}
.facts>div{border:1px solid #bbb;border-top:4px solid #0072B2;border-radius:4px;padding:.5rem .8rem}
.facts b{font-size:1.5rem;line-height:1.25;display:block;font-weight:600}
.facts b .words{font-size:1.1rem;font-weight:600;color:inherit;line-height:1.3}
.facts>div>span{color:#444;font-size:.92rem;line-height:1.35;display:block}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(15.5rem,1fr));gap:.7rem}
.card{border:1px solid #bbb;border-radius:4px;padding:.5rem .8rem;line-height:1.4;break-inside:avoid}
.card b{font-size:1.08rem;overflow-wrap:anywhere}.card b::before{content:"\\2605\\00a0";color:#D55E00}
.left-out{border-left:4px solid #D55E00;padding-left:.7rem}
.thumb{height:2.2rem;margin-right:.15rem;image-rendering:pixelated;vertical-align:middle;border:1px solid #ddd}
.no{color:#555;font-weight:400;margin-right:.2em}
.card p{margin:.25rem 0;overflow-wrap:anywhere}.card .quiet,p.quiet{color:#555;font-size:.92rem}
.box{overflow:auto;max-height:28rem;border:1px solid #bbb}.wide{overflow-x:auto}
.table{border-collapse:collapse;font-size:.92rem;width:100%;margin:0}
.table th{text-align:left;border-bottom:2px solid #666;background:#fff;position:sticky;top:0}
.table td,.table th{padding:.22rem .6rem .22rem .3rem;vertical-align:top}.table tr{break-inside:avoid}
.table td{border-top:1px solid #ddd;overflow-wrap:anywhere;min-width:3.2rem}
.table .number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.table .number+:not(.number){padding-left:.9rem}.pairs td:first-child{width:9rem;color:#555}
.clusters th:nth-child(2){width:42%}.table .members td{border:0;padding-bottom:.5rem}.paper{display:none}
@media print{.cards{display:block;columns:3;column-gap:.4rem}
.card{font-size:.75rem;padding:.3rem .5rem;margin-bottom:.4rem}.card .quiet{font-size:.72rem}
.table .members{break-inside:auto}.table .members td{font-size:.75rem;line-height:1.35}.paper{display:block}
.facts{grid-template-columns:repeat(4,1fr);gap:.4rem;margin:.6rem 0}
.box{max-height:none;overflow:visible;border:0}.off-paper{display:none}.table th{position:static}
.wide{overflow:visible}.table{font-size:.85rem}.table td,.table th{padding:.15rem .25rem}
.table .number+:not(.number){padding-left:.8rem}}
</style>"""
