using System.Diagnostics;
using System.Globalization;
using Slipway.Store.Content;

namespace Slipway.Bench.Store;

/// <summary>What is measured in a process of its own, whose memory then is its own as well. Prints seconds and kilobytes.</summary>
internal static class Once
{
    public static int Run(string what, string[] arguments)
    {
        var clock = Stopwatch.StartNew();
        switch (what)
        {
            case "add":
                using (var batch = new ContentStore(arguments[1]).Begin())
                {
                    if (File.Exists(arguments[0]))
                        batch.AddFile(arguments[0], arguments[0]);
                    else
                        batch.AddFolder(arguments[0], arguments[0]);
                    batch.Commit();
                }

                break;
            case "look":
                var index = DigestIndex.Open(arguments[1]);
                using (var tree = new FileTreeSum())
                {
                    foreach (var file in FileTree.Walk(arguments[0], index.Of, arguments[0], followLinks: true))
                        tree.Add(file);
                    _ = tree.Finish();
                }

                index.Save();
                break;
            default:
                throw new ArgumentException(what);
        }

        var seconds = clock.Elapsed.TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seconds} {Peak()}"));
        return 0;
    }

    private static long Peak() =>
        long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
