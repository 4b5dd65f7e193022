/** How a banner looks, beside what all pop-ups have in common: a part of its own, fetched with the first banner. */
export const CSS = `
.banner{position:fixed;z-index:2147483000;inset:auto 16px 16px;width:auto;max-width:1040px;margin:0 auto;max-height:60dvh}
.banner .inner{display:flex;align-items:center;gap:20px;padding:16px 64px 16px 24px}
.banner .copy{flex:1}
.banner h2{font-size:1.12em}
.banner p{margin:.15em 0 0;font-size:.94em}
.banner .products{flex:none;gap:8px}
.banner .product{flex:none;width:56px}
.banner .picture{margin:0}
.banner .name,.banner .price{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.banner .actions{display:flex;align-items:center;gap:4px}
.banner .close{top:50%;margin-top:-22px}
@media(max-width:640px){
.banner{inset:auto 8px 8px}
.banner .inner{flex-wrap:wrap;gap:10px 14px;padding:16px}
.banner .copy{flex:1 1 100%;padding-inline-end:40px}
.banner .close{top:8px;margin:0}
.banner .products{order:-1}
.banner .actions{flex:1;justify-content:flex-end}
}
`;
