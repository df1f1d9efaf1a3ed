using Slipway.Bench.Engine;

// Claims, each against a reference measured in turn in the same run; medians of whole processes:
// - `slipway status` on a project of 1,000 stages and 10,000 files in which nothing changed takes at most three times as long as `find -printf`
//   over its tree, plus the start of a .NET hello world, plus 40 ms; `slipway run` there, 50 ms more. ninja's no-op on the same graph is printed beside;
// - a stage that copies one small file in the sandbox takes at most 25 ms beside the copying; 1,000 of them with --jobs 2 go at 60 a second or more;
// - running a stage over 200,000 files takes less than 300 MB, and so does one over 10,000.
if (args is not [var hello, var slipway])
{
    Console.Error.WriteLine("usage: Slipway.Bench.Engine HELLO SLIPWAY   (the built programs; some 2 GB of space below $TMPDIR)");
    return 2;
}

var folder = Directory.CreateTempSubdirectory("slipway-bench-").FullName;
try
{
    var claims = new Claims(folder, hello, slipway);
    bool[] held = [claims.Stages(), claims.NothingToDo(), claims.Memory()];
    return held.All(holds => holds) ? 0 : 1;
}
finally
{
    Directory.Delete(folder, recursive: true);
}
