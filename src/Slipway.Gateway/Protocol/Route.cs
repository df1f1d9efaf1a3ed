namespace Slipway.Gateway.Protocol;

internal enum Endpoint
{
    None,
    Live,
    Ready,
    Server,
    Model,
    ModelReady,
    Infer,
}

/// <summary>Which endpoint a path names.</summary>
/// <param name="Fault">Why there is nothing at the path; null when there is.</param>
/// <remarks>Source: Open Inference Protocol v2, REST, "API". Paths are case-sensitive.</remarks>
internal readonly record struct Route(Endpoint Endpoint, string? Fault)
{
    /// <summary>The methods that the endpoint answers, as the Allow header wants them.</summary>
    public string Allow => Endpoint == Endpoint.Infer ? "POST" : "GET, HEAD";

    /// <param name="path">Decoded.</param>
    /// <param name="model">The one model that is served.</param>
    public static Route Of(string path, string model, string version)
    {
        var parts = path.Split('/');
        return parts switch
        {
            ["", "v2"] or ["", "v2", ""] => new(Endpoint.Server, null),
            ["", "v2", "health", "live"] => new(Endpoint.Live, null),
            ["", "v2", "health", "ready"] => new(Endpoint.Ready, null),
            ["", "v2", "models", var name, ..] when name != model => Missing($"there is no model '{name}' here; this server answers for '{model}'"),
            ["", "v2", "models", _, "versions", var asked, ..] when asked != version => Missing($"model '{model}' has no version '{asked}' here; it has '{version}'"),
            ["", "v2", "models", _, "versions", _, .. var rest] => OfModel(rest),
            ["", "v2", "models", _, .. var rest] => OfModel(rest),
            _ => Missing("there is nothing at this path; the protocol's paths begin with /v2"),
        };
    }

    private static Route OfModel(string[] rest) => rest switch
    {
        [] => new(Endpoint.Model, null),
        ["ready"] => new(Endpoint.ModelReady, null),
        ["infer"] => new(Endpoint.Infer, null),
        _ => Missing("there is nothing at this path; a model has /ready and /infer"),
    };

    private static Route Missing(string fault) => new(Endpoint.None, fault);
}
