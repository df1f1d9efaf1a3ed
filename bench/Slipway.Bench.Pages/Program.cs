using Slipway.Bench.Pages;

// Claims: with a year of data of 50 models the overview is answered within 100 ms (median over HTTP), and its first content is painted within 1 s of the
// navigation in Chromium. Reference in the same run: an answer without any work, /health/live.
return await OverviewPages.HoldAsync() ? 0 : 1;
