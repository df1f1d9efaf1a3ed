namespace Slipway.Server.Web.Pages;

/// <summary>How many requests of a version somebody counted: the judge and the gateways' telemetry count at different moments.</summary>
/// <param name="Who">Counted, and up to when.</param>
/// <param name="Bad">Of every kind, late ones among them.</param>
/// <param name="Late">Answers later than the budget; null where the kinds are not told apart.</param>
public sealed record TellCount(string Who, long Requests, long Bad, long? Late);
