using System.Diagnostics;
using System.Globalization;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;
using Slipway.Server.Monitoring;
using Slipway.Server.Storage;

namespace Slipway.Bench.Monitoring;

/// <summary>Labels a second that meet their predictions, in changes of 1,000 as the server makes them, each flushed to disk.</summary>
internal static class Labels
{
    private const int Count = 100_000, AtOnce = 1_000;
    private const double Claim = 4_000;

    public static async Task<bool> HoldsAsync()
    {
        var folder = Directory.CreateTempSubdirectory("slipway-bench-").FullName;
        try
        {
            await using var database = await Database.OpenAsync(null, Path.Combine(folder, "server.db"), CancellationToken.None);
            await database.ChangeAsync(Intake.RegisterAsync, CancellationToken.None);
            var rules = new LabelRules(new Duration(TimeSpan.FromDays(7)), new Ratio(1));
            var now = DateTimeOffset.UnixEpoch.AddDays(20_000).ToUnixTimeMilliseconds();
            var tasks = new Dictionary<int, string?> { [1] = WatchedVersion.BinaryClassification };
            var predictions = Enumerable.Range(0, Count).Select(i => new KeptPrediction(Key(i), 1, now - (i * 60L), i % 100 / 100.0, null)).ToArray();
            var clock = Stopwatch.StartNew();
            foreach (var chunk in predictions.Chunk(AtOnce))
                await database.ChangeAsync(session => PredictionIntake.KeepAsync(session, Intake.Model, Intake.Channel, chunk, tasks, rules, now), CancellationToken.None);
            var kept = Count / clock.Elapsed.TotalSeconds;
            clock.Restart();
            var matched = 0L;
            foreach (var chunk in Enumerable.Range(0, Count).Reverse().Chunk(AtOnce))
            {
                var labels = Array.ConvertAll(chunk, i => (Key(i), (double)(i % 2)));
                matched += (await database.ChangeAsync(session => LabelIntake.TakeInAsync(session, Intake.Model, Intake.Channel, labels, rules, now), CancellationToken.None)).Matched;
            }

            var met = Count / clock.Elapsed.TotalSeconds;
            if (matched != Count)
                throw new InvalidOperationException($"{matched} of {Count} labels were matched");
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{kept:0} predictions kept a second, {met:0} labels met a second, a million in {1e6 / met:0} s; claim: at least {Claim} labels a second: {(met >= Claim ? "PASS" : "FAIL")}"));
            return met >= Claim;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Key(int i) => Convert.FromHexString(PredictionKey.Of(Intake.Model, i.ToString(CultureInfo.InvariantCulture)));
}
