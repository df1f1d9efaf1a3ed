using Slipway.Bench.Gateway;
using Slipway.Bench.Infer;
using Slipway.Runtime.ModelHosts;

// Without arguments: the claims; with `telemetry` that one alone. The other forms are the processes that it starts.
var model = Path.Combine(AppContext.BaseDirectory, "late.onnx");
switch (args)
{
    case []:
        return await Claims.CheckAsync();
    case ["bare"]:
        return await BareServer.RunAsync(model);
    case ["gateway"]:
        return await CanaryServer.RunAsync(model);
    case ["telemetry"]:
        return await Claims.CheckTelemetryAsync();
    case ["load", var url, var rate, var seconds]:
        return await OpenLoad.RunAsync(new Uri(url), int.Parse(rate), int.Parse(seconds));
    case ["onnx-probe", .. var arguments]:
        using (var output = Console.OpenStandardOutput())
            return ModelHost.RunProbe(arguments, output);
    default:
        Console.Error.WriteLine("usage: Slipway.Bench.Gateway [telemetry]");
        return 2;
}
