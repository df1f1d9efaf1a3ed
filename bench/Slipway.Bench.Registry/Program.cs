using System.Globalization;
using Slipway.Bench.Registry;
using Slipway.Primitives.Units;

// Claims: `slipway push` and `slipway pull` of a bundle of 1 GiB to and from a registry on this machine are at least 0.8 times as fast as `skopeo copy` of
// the same layout, and use less than 200 MB of memory. Whole processes in turn, each with an empty target; medians of the same run. A pull also verifies:
// the signatures, and every byte a second time.
if (args is not [var slipway, var tiny])
{
    Console.Error.WriteLine("usage: Slipway.Bench.Registry SLIPWAY PROJECT   (PROJECT: tests/Slipway.EndToEnd/tiny)");
    return 2;
}

const int rounds = 5;
const double leastRatio = 0.8, mostMemory = 200e6;
using var place = await Workplace.MakeAsync(Path.GetFullPath(slipway), tiny);
var layout = place.PathOf("project/.slipway/bundles");
var times = new Dictionary<string, List<double>>();
var memory = new Dictionary<string, long>();
for (var round = 0; round < rounds; round++)
{
    await using var registry = await place.StartRegistryAsync();
    await MeasureAsync("skopeo push", "skopeo", "copy", "--quiet", "--dest-tls-verify=false", $"oci:{layout}:tiny", $"docker://{registry.Host}/by/skopeo:v1");
    await registry.ClearAsync();
    await MeasureAsync("slipway push", place.Slipway, "-q", "-C", place.PathOf("project"), "push", "tiny", $"{registry.Host}/by/slipway:v1");
    await MeasureAsync("skopeo pull", "skopeo", "copy", "--quiet", "--src-tls-verify=false", $"docker://{registry.Host}/by/slipway:v1", $"oci:{place.PathOf("theirs")}:v1");
    await MeasureAsync("slipway copy", place.Slipway, "-q", "copy", $"{registry.Host}/by/slipway:v1", $"oci:{place.PathOf("copied")}:v1");
    await MeasureAsync("slipway pull", place.Slipway, "-q", "pull", $"{registry.Host}/by/slipway:v1", $"oci:{place.PathOf("pulled")}:v1");
    foreach (var folder in new[] { "theirs", "copied", "pulled" })
        Directory.Delete(place.PathOf(folder), recursive: true);
}

var kept = true;
foreach (var (name, reference) in new[] { ("slipway push", "skopeo push"), ("slipway copy", "skopeo pull"), ("slipway pull", "skopeo pull") })
{
    var (ours, theirs) = (Median(times[name]), Median(times[reference]));
    var (ratio, bytes) = (theirs / ours, memory[name]);
    var holds = ratio >= leastRatio && bytes < mostMemory;
    kept &= holds;
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{name}  {ours:0.00} s ({Workplace.Bytes / ours / 1e6:0} MB/s, {rounds} rounds), {reference} {theirs:0.00} s: ratio {ratio:0.00}, at most {bytes / 1e6:0} MB of memory; claim: at least {leastRatio}, less than {mostMemory / 1e6:0} MB: {(holds ? "PASS" : "FAIL")}"));
}

Console.WriteLine($"bundle of {new ByteSize(Workplace.Bytes)}");
return kept ? 0 : 1;

async Task MeasureAsync(string name, params string[] command)
{
    var ended = await place.RunAsync(command);
    (times.TryGetValue(name, out var list) ? list : times[name] = []).Add(ended.Wall.TotalSeconds);
    memory[name] = Math.Max(memory.GetValueOrDefault(name), ended.PeakMemory);
}

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
