using System.Collections.Immutable;
using Slipway.Documents.Monitoring;

namespace Slipway.Server.Web.Pages;

/// <summary>How the alert rules of all plans stand, the gravest first.</summary>
public sealed record AlertsView(ImmutableArray<Alert> Alerts);
