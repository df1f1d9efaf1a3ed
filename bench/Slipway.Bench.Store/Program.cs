using Slipway.Bench.Store;

// Claims, each against a reference measured in turn in the same run; medians:
// - adding a file of 2 GiB goes at least at 80 % of the rate of `openssl dgst -sha256` over it, or of writing as many bytes and flushing them,
//   whichever is slower;
// - adding 10,000 files of 4 KiB takes at most twice as long as a loop that reads, hashes and writes them and ends with one syncfs;
// - looking again at those, unchanged, takes at most three times as long as `find -printf` over the same tree, the start of neither counted;
// - `slipway verify` of a bundle of 2 GiB goes at least at 80 % of the rate of `openssl dgst -sha256`, whole processes;
// - sealing it reads the bytes at most once and writes them at most once;
// - no process takes 200 MB.
if (args is ["--once", var what, .. var rest])
    return Once.Run(what, rest);
if (args is not [var slipway])
{
    Console.Error.WriteLine("usage: Slipway.Bench.Store SLIPWAY   (the built program; some 12 GB of space below $TMPDIR)");
    return 2;
}

var folder = Directory.CreateTempSubdirectory("slipway-bench-").FullName;
try
{
    var claims = new Claims(folder, slipway);
    bool[] held = [claims.AddLarge(), claims.AddSmall(), claims.LookAgain(), claims.SealAndVerify()];
    return held.All(holds => holds) ? 0 : 1;
}
finally
{
    Directory.Delete(folder, recursive: true);
}
